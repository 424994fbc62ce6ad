using System.Net;

namespace Hexcast.Upload.Tests;

/// <summary>A body whose length is not announced.</summary>
internal sealed class Unannounced(byte[] bytes) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        await stream.WriteAsync(bytes);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>Announces all, sends the first bytes, then breaks the connection.</summary>
internal sealed class CutOff(byte[] bytes, int sent) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.WriteAsync(bytes.AsMemory(0, sent));
        await stream.FlushAsync();
        throw new IOException("cut by the test");
    }

    protected override bool TryComputeLength(out long length)
    {
        length = bytes.Length;
        return true;
    }
}

/// <summary>Announces all or no length, sends the first bytes, then keeps the connection open without a byte.</summary>
internal sealed class Stuck(byte[] bytes, int sent, bool announced = true) : HttpContent
{
    private readonly TaskCompletionSource end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => end.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.WriteAsync(bytes.AsMemory(0, sent));
        await stream.FlushAsync();
        await end.Task;
        throw new IOException("released by the test");
    }

    protected override bool TryComputeLength(out long length)
    {
        length = bytes.Length;
        return announced;
    }
}
