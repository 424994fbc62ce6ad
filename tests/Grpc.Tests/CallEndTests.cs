using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;

namespace Hexcast.Grpc.Tests;

public sealed class TcpCallEndTests() : CallEndTests(Wiring.Tcp);

public sealed class TlsCallEndTests() : CallEndTests(Wiring.Tls);

public sealed class InMemoryCallEndTests() : CallEndTests(Wiring.InMemory);

/// <summary>Deadlines, cancellation by either side, and what each side sees of it.</summary>
public abstract class CallEndTests
{
    static readonly TimeSpan ShortDeadline = TimeSpan.FromMilliseconds(150);

    readonly Wiring _wiring;

    private protected CallEndTests(Wiring wiring) => _wiring = wiring;

    [Fact]
    public async Task Passed_deadline_ends_the_call_on_both_sides()
    {
        var seen = new Ended();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Unary = seen.WaitUnary });
        // The connection stands before the deadline runs, however long TLS takes.
        await Should.ThrowAsync<RpcException>(() => host.Client.AbsentAsync(new ProbeRequest()).ResponseAsync);

        var deadline = DateTime.UtcNow + 10 * ShortDeadline;
        using var call = host.Client.UnaryAsync(new ProbeRequest(), deadline: deadline);

        (await ErrorOf(call.ResponseAsync)).StatusCode.ShouldBe(StatusCode.DeadlineExceeded);
        call.GetStatus().StatusCode.ShouldBe(StatusCode.DeadlineExceeded);
        DateTime.UtcNow.ShouldBeGreaterThanOrEqualTo(deadline);
        var onServer = await seen.Token.Within();
        onServer.Deadline.ShouldBe(deadline, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Server_itself_answers_deadline_exceeded()
    {
        var seen = new Ended();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Unary = seen.WaitUnary });
        using var http = host.CreateHttpClient();
        using var request = Raw.Call("/hexcast.probe.Probe/Unary", Raw.Frame(new ProbeRequest()));
        request.Headers.Add("grpc-timeout", "100m");

        using var response = await http.SendAsync(request).Within();

        Raw.StatusOf(response).ShouldBe(StatusCode.DeadlineExceeded);
        await seen.Token.Within();
    }

    [Fact]
    public async Task Deadline_frees_a_server_that_waits_for_a_reader()
    {
        var ended = new TaskCompletionSource<Exception?>();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Download = async (_, responses, _) =>
            {
                var error = await Record.ExceptionAsync(async () =>
                {
                    while (true)
                        await responses.WriteAsync(new ProbeReply { Text = new string('x', 100_000) });
                });
                ended.SetResult(error);
                throw error!;
            },
        });
        using var http = host.CreateHttpClient();
        using var request = Raw.Call("/hexcast.probe.Probe/Download", Raw.Frame(new ProbeRequest()));
        request.Headers.Add("grpc-timeout", "300m");

        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).Within();

        (await ended.Task.Within()).ShouldBeAssignableTo<OperationCanceledException>();
        await response.Content.CopyToAsync(Stream.Null).Within();
        Raw.StatusOf(response).ShouldBe(StatusCode.DeadlineExceeded);
    }

    [Fact]
    public async Task Deadline_in_the_past_never_reaches_the_server()
    {
        var calls = 0;
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, _) =>
            {
                Interlocked.Increment(ref calls);
                return Task.FromResult(new ProbeReply());
            },
        });

        var call = host.Client.UnaryAsync(new ProbeRequest(), deadline: DateTime.UtcNow.AddSeconds(-1));

        (await ErrorOf(call.ResponseAsync)).StatusCode.ShouldBe(StatusCode.DeadlineExceeded);
        calls.ShouldBe(0);
    }

    [Fact]
    public async Task Deadline_years_away_and_no_deadline_are_both_fine()
    {
        var deadlines = new List<DateTime>();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, context) =>
            {
                deadlines.Add(context.Deadline);
                return Task.FromResult(new ProbeReply());
            },
        });
        var far = DateTime.UtcNow.AddYears(5);

        await host.Client.UnaryAsync(new ProbeRequest(), deadline: far).ResponseAsync.Within();
        await host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within();

        deadlines[0].ShouldBe(far, TimeSpan.FromMinutes(2));
        deadlines[1].ShouldBe(DateTime.MaxValue);
    }

    [Fact]
    public async Task Deadline_that_is_not_utc_is_refused_at_once()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers());

        Should.Throw<InvalidOperationException>(
            () => host.Client.UnaryAsync(new ProbeRequest(), deadline: new DateTime(2000, 1, 1)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cancelled_token_cancels_the_call_on_both_sides(bool throwsOperationCanceled)
    {
        var seen = new Ended();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Unary = seen.WaitUnary });
        using var channel = host.CreateChannel(
            new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = throwsOperationCanceled });
        using var cancel = new CancellationTokenSource();

        using var call = new Probe.ProbeClient(channel).UnaryAsync(
            new ProbeRequest(), cancellationToken: cancel.Token);
        await seen.Started.Within();
        await cancel.CancelAsync();

        var error = await Record.ExceptionAsync(() => call.ResponseAsync.Within());
        if (throwsOperationCanceled)
            error.ShouldBeAssignableTo<OperationCanceledException>();
        else
            error.ShouldBeOfType<RpcException>().StatusCode.ShouldBe(StatusCode.Cancelled);
        call.GetStatus().StatusCode.ShouldBe(StatusCode.Cancelled);
        await seen.Token.Within();
    }

    [Fact]
    public async Task Token_cancelled_before_the_call_never_reaches_the_server()
    {
        var seen = new Ended();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Unary = seen.WaitUnary });

        var call = host.Client.UnaryAsync(new ProbeRequest(), cancellationToken: new CancellationToken(true));

        (await ErrorOf(call.ResponseAsync)).StatusCode.ShouldBe(StatusCode.Cancelled);
        seen.Started.IsCompleted.ShouldBeFalse();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Call_made_for_another_ends_with_it(bool byDeadline)
    {
        var seen = new Ended();
        var inner = new TaskCompletionSource<Exception?>();
        ProbeHost? self = null;
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = seen.WaitUnary,
            Download = async (_, _, context) =>
            {
                var options = new CallOptions(propagationToken: context.CreatePropagationToken());
                inner.SetResult(await Record.ExceptionAsync(
                    () => self!.Client.UnaryAsync(new ProbeRequest(), options).ResponseAsync.Within()));
            },
        });
        self = host;
        using var cancel = new CancellationTokenSource();
        // The connection stands before the deadline runs, and both calls begin within it.
        await Should.ThrowAsync<RpcException>(() => host.Client.AbsentAsync(new ProbeRequest()).ResponseAsync);

        using var call = host.Client.Download(
            new ProbeRequest(),
            deadline: byDeadline ? DateTime.UtcNow + 20 * ShortDeadline : null,
            cancellationToken: cancel.Token);
        await seen.Started.Within();
        if (!byDeadline)
            await cancel.CancelAsync();

        (await inner.Task.Within()).ShouldBeOfType<RpcException>().StatusCode
            .ShouldBeOneOf(byDeadline ? [StatusCode.DeadlineExceeded, StatusCode.Cancelled] : [StatusCode.Cancelled]);
        await seen.Token.Within();
    }

    [Fact]
    public async Task Abandoned_stream_tells_the_server_to_stop()
    {
        var ended = new TaskCompletionSource<Exception?>();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Download = async (_, responses, _) => ended.SetResult(await Record.ExceptionAsync(async () =>
            {
                while (true)
                    await responses.WriteAsync(new ProbeReply());
            })),
        });

        var call = host.Client.Download(new ProbeRequest());
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        call.Dispose();

        (await ended.Task.Within()).ShouldBeAssignableTo<OperationCanceledException>();
        call.GetStatus().StatusCode.ShouldBe(StatusCode.Cancelled);
        (await ErrorOf(call.ResponseStream.MoveNext())).StatusCode.ShouldBe(StatusCode.Cancelled);
        host.Log.ShouldBeEmpty();
    }

    [Fact]
    public async Task Server_that_waits_for_the_next_request_learns_that_the_caller_left()
    {
        var ended = new TaskCompletionSource<Exception?>();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Talk = async (requests, responses, _) =>
            {
                await requests.MoveNext();
                await responses.WriteAsync(new ProbeReply());
                ended.SetResult(await Record.ExceptionAsync(() => requests.MoveNext()));
            },
        });

        var call = host.Client.Talk();
        await call.RequestStream.WriteAsync(new ProbeRequest()).Within();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        call.Dispose();

        (await ended.Task.Within()).ShouldBeAssignableTo<OperationCanceledException>();
        host.Log.ShouldBeEmpty();
    }

    [Fact]
    public async Task Cancelled_stream_is_never_taken_for_one_that_has_ended()
    {
        const int calls = 100;
        var ends = new ConcurrentQueue<Exception?>();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Talk = async (requests, responses, _) => ends.Enqueue(await Record.ExceptionAsync(async () =>
            {
                while (await requests.MoveNext())
                    await responses.WriteAsync(new ProbeReply());
            })),
        });

        for (var i = 0; i < calls; i++)
        {
            using var call = host.Client.Talk();
            await call.RequestStream.WriteAsync(new ProbeRequest()).Within();
            (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
            await call.RequestStream.WriteAsync(new ProbeRequest()).Within();
        }

        async Task AllEnded()
        {
            while (ends.Count < calls)
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }

        await AllEnded().Within();
        ends.ShouldAllBe(end => end is OperationCanceledException);
    }

    [Fact]
    public async Task Token_of_one_read_cancels_the_call()
    {
        var seen = new Ended();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Download = seen.WaitDownload });
        using var cancel = new CancellationTokenSource();

        using var call = host.Client.Download(new ProbeRequest());
        var read = call.ResponseStream.MoveNext(cancel.Token);
        await seen.Started.Within();
        await cancel.CancelAsync();

        (await ErrorOf(read)).StatusCode.ShouldBe(StatusCode.Cancelled);
        await seen.Token.Within();
    }

    [Fact]
    public async Task Server_may_answer_before_it_has_read_everything()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Upload = async (requests, _) =>
            {
                await requests.MoveNext();
                throw new RpcException(new Status(StatusCode.ResourceExhausted, "enough"));
            },
        });

        using var call = host.Client.Upload();
        var writes = await Record.ExceptionAsync(async () =>
        {
            while (true)
                await call.RequestStream.WriteAsync(new ProbeRequest { Text = new string('x', 10_000) }).Within();
        });

        writes.ShouldBeOfType<RpcException>().Status.ShouldBe(new Status(StatusCode.ResourceExhausted, "enough"));
        (await ErrorOf(call.ResponseAsync)).Status.Detail.ShouldBe("enough");
    }

    [Fact]
    public async Task Disposing_the_channel_cancels_its_calls()
    {
        var seen = new Ended();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Download = seen.WaitDownload });
        var channel = host.CreateChannel(new GrpcChannelOptions());
        var client = new Probe.ProbeClient(channel);

        var call = client.Download(new ProbeRequest());
        await seen.Started.Within();
        channel.Dispose();

        (await ErrorOf(call.ResponseStream.MoveNext())).StatusCode.ShouldBe(StatusCode.Cancelled);
        await seen.Token.Within();
        Should.Throw<ObjectDisposedException>(() => client.UnaryAsync(new ProbeRequest()));
    }

    [Fact]
    public async Task Server_that_stops_ends_open_streams_and_does_not_hang()
    {
        var started = new TaskCompletionSource();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Talk = async (requests, responses, _) =>
            {
                await responses.WriteAsync(new ProbeReply());
                started.SetResult();
                await requests.MoveNext();
            },
        });

        using var call = host.Client.Talk();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        await started.Task.Within();
        using var noGrace = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await host.StopAsync(noGrace.Token).Within();

        (await ErrorOf(call.ResponseStream.MoveNext())).StatusCode
            .ShouldBeOneOf(StatusCode.Unavailable, StatusCode.Cancelled, StatusCode.Internal);
    }

    [Fact]
    public async Task Stopped_server_is_unavailable()
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring, new ProbeHandlers { Unary = (_, _) => Task.FromResult(new ProbeReply()) });
        await host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within();
        var client = new Probe.ProbeClient(host.CreateChannel(new GrpcChannelOptions()));
        await host.StopAsync(CancellationToken.None).Within();

        var error = await ErrorOf(client.UnaryAsync(new ProbeRequest()).ResponseAsync);

        error.StatusCode.ShouldBe(StatusCode.Unavailable);
        error.InnerException.ShouldNotBeNull();
    }

    static async Task<RpcException> ErrorOf(Task task) =>
        (await Record.ExceptionAsync(() => task.Within())).ShouldBeOfType<RpcException>();

    /// <summary>A handler that waits to be cancelled and says when it was.</summary>
    sealed class Ended
    {
        readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly TaskCompletionSource<ServerCallContext> _cancelled =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Started => _started.Task;

        public Task<ServerCallContext> Token => _cancelled.Task;

        public async Task<ProbeReply> WaitUnary(ProbeRequest request, ServerCallContext context)
        {
            await Wait(context);
            return new ProbeReply();
        }

        public Task WaitDownload(
            ProbeRequest request, IServerStreamWriter<ProbeReply> responses, ServerCallContext context) =>
            Wait(context);

        async Task Wait(ServerCallContext context)
        {
            _started.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }
            finally
            {
                _cancelled.TrySetResult(context);
            }
        }
    }
}
