using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Hexcast.Grpc.Tests;

/// <summary>This project's client against grpcio's server.</summary>
public sealed class PythonServerTests : IAsyncLifetime
{
    PythonPeer? _server;
    GrpcChannel? _channel;

    Probe.ProbeClient Client => new(_channel!);

    public async ValueTask InitializeAsync()
    {
        _server = await PythonPeer.StartAsync("server.py");
        _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{await _server.ReadLineAsync()}");
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    [Fact]
    public async Task Grpcio_server_answers_all_four_kinds_of_calls()
    {
        var data = ByteString.CopyFrom(new byte[3_000_000]);

        (await Client.UnaryAsync(new ProbeRequest { Text = "echo", Data = data }).ResponseAsync.Within())
            .Data.ShouldBe(data);

        using var download = Client.Download(new ProbeRequest { Count = 500 });
        (await download.ResponseStream.ReadAllAsync().Select(reply => reply.Count).ToListAsync().AsTask().Within())
            .ShouldBe(Enumerable.Range(0, 500));
        download.GetStatus().StatusCode.ShouldBe(StatusCode.OK);

        using var upload = Client.Upload();
        for (var i = 1; i <= 500; i++)
            await upload.RequestStream.WriteAsync(new ProbeRequest { Count = i }).Within();
        await upload.RequestStream.CompleteAsync();
        (await upload.ResponseAsync.Within()).Count.ShouldBe(125_250);

        using var talk = Client.Talk();
        for (var i = 0; i < 50; i++)
        {
            await talk.RequestStream.WriteAsync(new ProbeRequest { Count = i }).Within();
            (await talk.ResponseStream.MoveNext().Within()).ShouldBeTrue();
            talk.ResponseStream.Current.Count.ShouldBe(i);
        }

        await talk.RequestStream.CompleteAsync();
        (await talk.ResponseStream.MoveNext().Within()).ShouldBeFalse();
    }

    [Fact]
    public async Task Grpcio_server_exchanges_metadata_and_trailers_with_this_client()
    {
        byte[] bytes = [0, 1, 255];

        using var call = Client.UnaryAsync(
            new ProbeRequest { Text = "metadata" },
            new Metadata { { "x-text", "some text" }, { "x-bytes-bin", bytes } });
        await call.ResponseAsync.Within();

        var headers = await call.ResponseHeadersAsync.Within();
        headers.GetValue("x-head").ShouldBe("some text");
        headers.GetValueBytes("x-head-bin").ShouldBe(bytes);
        call.GetTrailers().GetValue("x-tail").ShouldBe("some text");
        call.GetTrailers().GetValueBytes("x-tail-bin").ShouldBe(bytes);
    }

    [Fact]
    public async Task This_client_sees_the_status_that_a_grpcio_server_sends()
    {
        var failed = await ErrorOf(Client.UnaryAsync(new ProbeRequest { Text = "fail" }).ResponseAsync);
        failed.Status.ShouldBe(new Status(StatusCode.NotFound, "Größe 🎬 100 %"));
        failed.Trailers.GetValueBytes("x-tail-bin").ShouldBe([0, 255]);

        (await ErrorOf(Client.UnaryAsync(new ProbeRequest { Text = "raise" }).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.Unknown);
        (await ErrorOf(Client.AbsentAsync(new ProbeRequest()).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.Unimplemented);

        using var download = Client.Download(new ProbeRequest { Text = "fail", Count = 1 });
        (await download.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        (await ErrorOf(download.ResponseStream.MoveNext())).Status
            .ShouldBe(new Status(StatusCode.DataLoss, "the rest is gone"));

        using var upload = Client.Upload();
        await upload.RequestStream.WriteAsync(new ProbeRequest { Text = "enough" }).Within();
        (await ErrorOf(upload.ResponseAsync)).Status.ShouldBe(new Status(StatusCode.ResourceExhausted, "enough"));
    }

    [Fact]
    public async Task Deadline_and_cancellation_reach_a_grpcio_server()
    {
        (await ErrorOf(Client.UnaryAsync(
            new ProbeRequest { Text = "wait" }, deadline: DateTime.UtcNow.AddSeconds(5)).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.DeadlineExceeded);
        (await _server!.ReadLineAsync()).ShouldBe("waiting");
        (await _server.ReadLineAsync()).ShouldBe("ended");

        using var cancel = new CancellationTokenSource();
        using var call = Client.Download(new ProbeRequest { Text = "wait" }, cancellationToken: cancel.Token);
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        (await _server.ReadLineAsync()).ShouldBe("waiting");
        await cancel.CancelAsync();
        (await ErrorOf(call.ResponseStream.MoveNext())).StatusCode.ShouldBe(StatusCode.Cancelled);
        (await _server.ReadLineAsync()).ShouldBe("ended");
    }

    [Fact]
    public async Task Server_that_dies_in_the_middle_of_a_stream_is_unavailable()
    {
        using var call = Client.Download(new ProbeRequest { Text = "wait" });
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();

        await _server!.DisposeAsync();
        _server = null;

        (await ErrorOf(call.ResponseStream.MoveNext())).StatusCode.ShouldBe(StatusCode.Unavailable);
    }

    static async Task<RpcException> ErrorOf(Task task) =>
        (await Record.ExceptionAsync(() => task.Within())).ShouldBeOfType<RpcException>();
}
