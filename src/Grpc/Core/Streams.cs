using System.Runtime.CompilerServices;

namespace Grpc.Core;

/// <summary>Messages from the peer, one at a time; one reader at once.</summary>
public interface IAsyncStreamReader<out T>
{
    T Current { get; }

    /// <summary>False at the end of the stream.</summary>
    Task<bool> MoveNext(CancellationToken cancellationToken);
}

/// <summary>A reader of this runtime's own: it can wait for a message without a new task each time.</summary>
interface IMessageReader<out T> : IAsyncStreamReader<T>
{
    /// <summary>To be awaited once, and before the next read.</summary>
    ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken);
}

/// <summary>Messages to the peer; the next write may start only when the last one is done.</summary>
public interface IAsyncStreamWriter<in T>
{
    WriteOptions? WriteOptions { get; set; }

    Task WriteAsync(T message);

    Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
            throw new NotSupportedException("This stream writer cannot cancel a write: cancel the call instead.");
#pragma warning disable MA0040 // The token can never be cancelled here.
        return WriteAsync(message);
#pragma warning restore MA0040
    }
}

public interface IServerStreamWriter<in T> : IAsyncStreamWriter<T>;

public interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>No more messages: the peer sees the end of the stream.</summary>
    Task CompleteAsync();
}

[Flags]
public enum WriteFlags
{
    /// <summary>The message may wait in the buffer for the next one instead of being flushed.</summary>
    BufferHint = 0x1,
    NoCompress = 0x2,
}

public class WriteOptions(WriteFlags flags = default)
{
    public static readonly WriteOptions Default = new();

    public WriteFlags Flags { get; } = flags;
}

public static class AsyncStreamReaderExtensions
{
    public static Task<bool> MoveNext<T>(this IAsyncStreamReader<T> streamReader)
    {
        ArgumentNullException.ThrowIfNull(streamReader);
        return streamReader.MoveNext(CancellationToken.None);
    }

    public static async IAsyncEnumerable<T> ReadAllAsync<T>(
        this IAsyncStreamReader<T> streamReader,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(streamReader);
        if (streamReader is not IMessageReader<T> messages)
        {
            while (await streamReader.MoveNext(cancellationToken))
                yield return streamReader.Current;
            yield break;
        }

        while (await messages.MoveNextAsync(cancellationToken))
            yield return messages.Current;
    }
}
