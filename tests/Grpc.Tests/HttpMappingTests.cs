using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;

namespace Hexcast.Grpc.Tests;

/// <summary>What answers below gRPC mean, by the tables of its protocol; the server is made by hand.</summary>
public sealed class HttpMappingTests
{
    [Theory]
    [InlineData(0x0, StatusCode.Internal)]
    [InlineData(0x1, StatusCode.Internal)]
    [InlineData(0x2, StatusCode.Internal)]
    [InlineData(0x3, StatusCode.Internal)]
    [InlineData(0x4, StatusCode.Internal)]
    [InlineData(0x6, StatusCode.Internal)]
    [InlineData(0x8, StatusCode.Cancelled)]
    [InlineData(0x9, StatusCode.Internal)]
    [InlineData(0xa, StatusCode.Internal)]
    [InlineData(0xb, StatusCode.ResourceExhausted)]
    [InlineData(0xc, StatusCode.PermissionDenied)]
    public async Task Reset_of_a_stream_is_the_status_of_its_error_code(int error, StatusCode expected)
    {
        await using var server = new RawHttp2Server((connection, stream) => connection.ResetAsync(stream, error));

        (await ErrorOf(server)).StatusCode.ShouldBe(expected);
    }

    [Theory]
    [InlineData(0x0, StatusCode.Internal)]
    [InlineData(0x8, StatusCode.Cancelled)]
    [InlineData(0xb, StatusCode.ResourceExhausted)]
    public async Task Reset_after_a_message_is_the_same(int error, StatusCode expected)
    {
        await using var server = new RawHttp2Server(async (connection, stream) =>
        {
            await connection.HeadersAsync(stream, false, (":status", "200"), ("content-type", "application/grpc"));
            await connection.DataAsync(stream, Raw.Frame(new ProbeReply { Count = 1 }));
            await connection.ResetAsync(stream, error);
        });
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var call = new Probe.ProbeClient(channel).Download(new ProbeRequest());

        var failed = (await Record.ExceptionAsync(() => call.ResponseStream.ReadAllAsync().ToListAsync().AsTask()
            .Within())).ShouldBeOfType<RpcException>();

        failed.StatusCode.ShouldBe(expected);
    }

    [Fact]
    public async Task Refused_stream_is_sent_again_and_then_unavailable()
    {
        var requests = 0;
        await using var server = new RawHttp2Server((connection, stream) =>
        {
            Interlocked.Increment(ref requests);
            return connection.ResetAsync(stream, 0x7);
        });

        (await ErrorOf(server)).StatusCode.ShouldBe(StatusCode.Unavailable);
        requests.ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task Stream_that_a_going_server_has_not_taken_is_sent_again()
    {
        var requests = 0;
        await using var server = new RawHttp2Server((connection, stream) => Interlocked.Increment(ref requests) == 1
            ? connection.GoAwayAsync(lastStreamId: 0, error: 0)
            : connection.AnswerAsync(stream, new ProbeReply { Text = "second" }));
        using var channel = GrpcChannel.ForAddress(server.Address);

        var reply = await new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest()).ResponseAsync.Within();

        reply.Text.ShouldBe("second");
        server.Connections.ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream_of_requests_that_a_going_server_has_not_taken_is_sent_again(bool isComplete)
    {
        var data = new ConcurrentQueue<byte[]>();
        var first = new TaskCompletionSource<RawHttp2Connection>();
        await using var server = new RawHttp2Server((connection, _) =>
        {
            if (!first.TrySetResult(connection))
                data.Clear();
            return Task.CompletedTask;
        });
        server.OnData = data.Enqueue;
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var call = new Probe.ProbeClient(channel).Upload();
        await call.RequestStream.WriteAsync(new ProbeRequest { Text = "one" }).Within();
        await call.RequestStream.WriteAsync(new ProbeRequest { Text = "two" }).Within();
        byte[] expected = [.. Frame("one"), .. Frame("two")];
        await WaitForAsync(expected);
        if (isComplete)
            await call.RequestStream.CompleteAsync();

        data.Clear();
        await (await first.Task.Within()).GoAwayAsync(lastStreamId: 0, error: 0);

        await WaitForAsync(expected);
        server.Connections.ShouldBe(2);
        if (isComplete)
            return;
        await call.RequestStream.WriteAsync(new ProbeRequest { Text = "three" }).Within();
        await WaitForAsync([.. expected, .. Frame("three")]);

        static byte[] Frame(string text) => Raw.Frame(new ProbeRequest { Text = text });

        async Task WaitForAsync(byte[] bytes)
        {
            using var limit = new CancellationTokenSource(Limits.Hang);
            while (!data.SelectMany(piece => piece).SequenceEqual(bytes))
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
        }
    }

    [Fact]
    public async Task Server_that_goes_and_closes_under_a_call_is_unavailable()
    {
        await using var server = new RawHttp2Server(async (connection, stream) =>
        {
            await connection.HeadersAsync(stream, false, (":status", "200"), ("content-type", "application/grpc"));
            await connection.GoAwayAsync(stream, error: 0);
            connection.Close();
        });

        (await ErrorOf(server)).StatusCode.ShouldBe(StatusCode.Unavailable);
    }

    [Theory]
    [InlineData("400", StatusCode.Internal)]
    [InlineData("401", StatusCode.Unauthenticated)]
    [InlineData("403", StatusCode.PermissionDenied)]
    [InlineData("404", StatusCode.Unimplemented)]
    [InlineData("418", StatusCode.Unknown)]
    [InlineData("429", StatusCode.Unavailable)]
    [InlineData("500", StatusCode.Unknown)]
    [InlineData("502", StatusCode.Unavailable)]
    [InlineData("503", StatusCode.Unavailable)]
    [InlineData("504", StatusCode.Unavailable)]
    public async Task Http_status_counts_where_no_grpc_status_is(string httpStatus, StatusCode expected)
    {
        await using var bare = new RawHttp2Server((connection, stream) =>
            connection.HeadersAsync(stream, true, (":status", httpStatus), ("content-type", "text/html")));
        await using var explicitly = new RawHttp2Server((connection, stream) => connection.HeadersAsync(
            stream, true, (":status", httpStatus), ("grpc-status", "10"), ("grpc-message", "a%20b")));

        (await ErrorOf(bare)).StatusCode.ShouldBe(expected);
        (await ErrorOf(explicitly)).Status.ShouldBe(new Status(StatusCode.Aborted, "a b"));
    }

    [Theory]
    [InlineData("17", StatusCode.Unknown)]
    [InlineData("one", StatusCode.Internal)]
    [InlineData("-1", StatusCode.Internal)]
    public async Task Status_that_is_none_is_still_a_status(string status, StatusCode expected)
    {
        await using var server = new RawHttp2Server((connection, stream) => connection.HeadersAsync(
            stream, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", status)));

        (await ErrorOf(server)).StatusCode.ShouldBe(expected);
    }

    [Fact]
    public async Task Answer_without_a_status_is_unknown_and_one_of_another_kind_is_refused()
    {
        await using var silent = new RawHttp2Server((connection, stream) => connection.HeadersAsync(
            stream, true, (":status", "200"), ("content-type", "application/grpc")));
        await using var page = new RawHttp2Server((connection, stream) => connection.HeadersAsync(
            stream, true, (":status", "200"), ("content-type", "text/html")));

        (await ErrorOf(silent)).StatusCode.ShouldBe(StatusCode.Unknown);
        (await ErrorOf(page)).Status.Detail.ShouldContain("text/html");
    }

    [Fact]
    public async Task Request_without_te_is_refused_and_text_that_grpc_does_not_know_is_not_shown()
    {
        await using var host = await ProbeHost.StartAsync(Wiring.Tcp, new ProbeHandlers
        {
            Unary = (_, context) => Task.FromResult(
                new ProbeReply { Text = context.RequestHeaders.GetValue("x-text") ?? "none" }),
        });
        using var http = host.CreateHttpClient();
        using var bare = Raw.Call("/hexcast.probe.Probe/Unary", Raw.Frame(new ProbeRequest()));
        bare.Headers.Remove("te").ShouldBeTrue();
        using var odd = Raw.Call("/hexcast.probe.Probe/Unary", Raw.Frame(new ProbeRequest()));
        odd.Headers.TryAddWithoutValidation("x-text", "a\tb");

        using var refused = await http.SendAsync(bare).Within();
        using var taken = await http.SendAsync(odd).Within();

        Raw.StatusOf(refused).ShouldBe(StatusCode.Internal);
        Raw.StatusOf(taken).ShouldBe(StatusCode.OK);
        ProbeReply.Parser.ParseFrom((await taken.Content.ReadAsByteArrayAsync().Within())[5..]).Text.ShouldBe("none");
    }

    static async Task<RpcException> ErrorOf(RawHttp2Server server)
    {
        using var channel = GrpcChannel.ForAddress(server.Address);
        var call = new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest());
        return (await Record.ExceptionAsync(() => call.ResponseAsync.Within())).ShouldBeOfType<RpcException>();
    }
}
