using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Retries;

namespace Hexcast.Grpc.Tests.Client;

/// <summary>The messages of a call that may be tried again, as its attempts and their connections send them.</summary>
public sealed class ReplayTests
{
    const int RefusedStream = 7;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Request_that_the_connection_sends_anew_still_takes_messages(bool goAway)
    {
        var requests = 0;
        await using var server = new RawHttp2Server(async (connection, stream) =>
        {
            if (Interlocked.Increment(ref requests) > 1)
                await SaySomethingAsync(connection, stream);
            else if (goAway)
                await connection.GoAwayAsync(lastStreamId: 0, error: 0);
            else
                await connection.ResetAsync(stream, RefusedStream);
        });
        // Sent anew by the connection or, where that sees its body fail first, by another attempt.
        using var channel = GrpcChannel.ForAddress(server.Address, RetryTests.Retrying());
        using var call = new Probe.ProbeClient(channel).Talk();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();

        for (var i = 0; i < 10; i++)
            await call.RequestStream.WriteAsync(new ProbeRequest { Count = i }).Within();

        requests.ShouldBe(2);
    }

    [Fact]
    public async Task Body_of_an_attempt_ends_with_it()
    {
        var requests = 0;
        var ended = new TaskCompletionSource<int>();
        await using var server = new RawHttp2Server((connection, stream) => Interlocked.Increment(ref requests) == 1
            ? connection.FailAsync(stream, StatusCode.Unavailable)
            : SaySomethingAsync(connection, stream));
        server.OnStreamEnd = stream => ended.TrySetResult(stream);
        using var channel = GrpcChannel.ForAddress(server.Address, RetryTests.Retrying());
        using var call = new Probe.ProbeClient(channel).Talk();

        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();

        (await ended.Task.Within()).ShouldBe(1);
        await call.RequestStream.WriteAsync(new ProbeRequest()).Within();
    }

    [Fact]
    public async Task Only_the_latest_run_says_what_was_sent_and_that_nothing_more_is_taken()
    {
        var buffer = CreateBuffer();
        buffer.StartAttempt(0);
        var first = buffer.StartRun(0);
        var again = buffer.StartRun(0);
        buffer.Add([1]);
        buffer.Add([2]);

        buffer.Break(first);
        buffer.CommitTo();
        buffer.OnSent(first, 0);
        var waiting = buffer.SentAsync(2, CancellationToken.None);
        (await buffer.GetAsync(again, 0, CancellationToken.None)).ShouldBe([1]);
        await Should.ThrowAsync<IOException>(async () => await buffer.GetAsync(first, 0, CancellationToken.None));
        waiting.IsCompleted.ShouldBeFalse();
        buffer.OnSent(again, 0);
        buffer.OnSent(again, 1);

        await waiting.Within();
        buffer.StartAttempt(1);
        Should.Throw<IOException>(() => buffer.StartRun(0));
    }

    [Fact]
    public async Task What_an_earlier_attempt_has_sent_is_kept_for_the_one_that_the_call_commits_to()
    {
        var buffer = CreateBuffer(maxBytes: 10);
        buffer.StartAttempt(0);
        var first = buffer.StartRun(0);
        for (byte i = 0; i < 3; i++)
        {
            buffer.Add([i]);
            buffer.OnSent(first, i);
        }

        buffer.StartAttempt(1);
        var second = buffer.StartRun(1);
        buffer.OnSent(second, 0);
        buffer.Add(new byte[100]);

        buffer.IsCommitted.ShouldBeTrue();
        for (byte i = 1; i < 3; i++)
        {
            (await buffer.GetAsync(second, i, CancellationToken.None)).ShouldBe([i]);
            buffer.OnSent(second, i);
        }

        (await buffer.GetAsync(second, 3, CancellationToken.None))!.Length.ShouldBe(100);
    }

    [Fact]
    public void Committed_call_holds_nothing_of_what_it_has_sent()
    {
        var buffer = CreateBuffer();
        buffer.StartAttempt(0);
        var run = buffer.StartRun(0);
        buffer.Add([0]);
        buffer.OnSent(run, 0);
        buffer.HeldFrames.ShouldBe(1);
        buffer.CommitTo();

        for (var i = 1; i < 1000; i++)
        {
            buffer.Add([1]);
            buffer.HeldFrames.ShouldBe(1);
            buffer.OnSent(run, i);
        }

        buffer.HeldFrames.ShouldBe(0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ok_without_a_message_is_an_internal_error_of_every_call_and_no_success(bool trailersOnly)
    {
        await using var server = new RawHttp2Server(async (connection, stream) =>
        {
            if (trailersOnly)
            {
                await connection.FailAsync(stream, StatusCode.OK, ("x-tail", "t"));
                return;
            }

            await connection.HeadersAsync(stream, false, (":status", "200"), ("content-type", "application/grpc"));
            await connection.HeadersAsync(stream, end: true, ("grpc-status", "0"), ("x-tail", "t"));
        });
        using var once = GrpcChannel.ForAddress(server.Address);
        using var retrying = GrpcChannel.ForAddress(server.Address, RetryTests.Retrying());

        foreach (var channel in (GrpcChannel[])[once, retrying])
        {
            using var call = new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest());
            var error = (await Record.ExceptionAsync(() => call.ResponseAsync.Within()))
                .ShouldBeOfType<RpcException>();

            error.Status.ShouldBe(new Status(StatusCode.Internal, "The server sent OK without a message."));
            error.Trailers.GetValue("x-tail").ShouldBe("t");
            call.GetStatus().StatusCode.ShouldBe(StatusCode.Internal);
        }
    }

    static RequestBuffer CreateBuffer(long? maxBytes = null) =>
        new(new MethodRetries(new GrpcChannelOptions { MaxRetryBufferPerCallSize = maxBytes }));

    static async Task SaySomethingAsync(RawHttp2Connection connection, int stream)
    {
        await connection.HeadersAsync(stream, false, (":status", "200"), ("content-type", "application/grpc"));
        await connection.DataAsync(stream, Raw.Frame(new ProbeReply { Count = 1 }));
    }
}
