using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;

namespace Hexcast.Grpc.Tests.Client;

public sealed class TcpRetryTests() : RetryTests(Wiring.Tcp);

public sealed class TlsRetryTests() : RetryTests(Wiring.Tls);

public sealed class InMemoryRetryTests() : RetryTests(Wiring.InMemory);

/// <summary>Calls that are tried again, and those that must not be.</summary>
public abstract class RetryTests
{
    readonly Wiring _wiring;
    int _attempts;

    private protected RetryTests(Wiring wiring) => _wiring = wiring;

    [Fact]
    public async Task Unary_call_is_tried_again_until_it_succeeds_and_tells_the_server_how_often()
    {
        var told = new List<string?>();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (request, context) =>
            {
                told.Add(context.RequestHeaders.GetValue("grpc-previous-rpc-attempts"));
                FailUntil(3);
                return Task.FromResult(new ProbeReply { Text = request.Text });
            },
        });
        using var channel = host.CreateChannel(Retrying());

        using var call = new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest { Text = "again" });

        (await call.ResponseAsync.Within()).Text.ShouldBe("again");
        call.GetStatus().StatusCode.ShouldBe(StatusCode.OK);
        (await call.ResponseHeadersAsync.Within()).ShouldNotBeNull();
        told.ShouldBe([null, "1", "2"]);
    }

    [Fact]
    public async Task Last_failure_is_what_the_caller_gets()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, _) => throw new RpcException(
                new Status(StatusCode.Unavailable, $"attempt {++_attempts}"), new Metadata { { "x-tail", "t" } }),
        });
        using var channel = host.CreateChannel(Retrying(attempts: 3));

        using var call = new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest());
        var error = await ErrorOf(call.ResponseAsync);

        error.Status.ShouldBe(new Status(StatusCode.Unavailable, "attempt 3"));
        error.Trailers.GetValue("x-tail").ShouldBe("t");
        call.GetTrailers().GetValue("x-tail").ShouldBe("t");
    }

    [Fact]
    public async Task Status_that_is_not_listed_and_pushback_end_the_call_at_once()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (request, context) =>
            {
                _attempts++;
                if (request.Text == "never")
                    context.ResponseTrailers.Add("grpc-retry-pushback-ms", "-1");
                throw new RpcException(new Status((StatusCode)request.Count, "no"));
            },
        });
        using var channel = host.CreateChannel(Retrying());
        var client = new Probe.ProbeClient(channel);

        (await ErrorOf(client.UnaryAsync(new ProbeRequest { Count = (int)StatusCode.NotFound }).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.NotFound);
        _attempts.ShouldBe(1);
        (await ErrorOf(client.UnaryAsync(
            new ProbeRequest { Count = (int)StatusCode.Unavailable, Text = "never" }).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.Unavailable);
        _attempts.ShouldBe(2);
    }

    [Fact]
    public async Task Call_whose_headers_came_is_not_tried_again()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Download = async (_, responses, _) =>
            {
                await responses.WriteAsync(new ProbeReply { Count = ++_attempts });
                throw new RpcException(new Status(StatusCode.Unavailable, "too late"));
            },
        });
        using var channel = host.CreateChannel(Retrying());
        using var call = new Probe.ProbeClient(channel).Download(new ProbeRequest());

        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        (await ErrorOf(call.ResponseStream.MoveNext())).Status
            .ShouldBe(new Status(StatusCode.Unavailable, "too late"));
        _attempts.ShouldBe(1);
    }

    [Fact]
    public async Task Streamed_requests_are_sent_again_from_the_first()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Upload = async (requests, _) =>
            {
                var sum = 0;
                while (await requests.MoveNext())
                {
                    sum += requests.Current.Count;
                    if (sum == 15)
                        FailUntil(3);
                }

                return new ProbeReply { Count = sum };
            },
        });
        using var channel = host.CreateChannel(Retrying());
        using var call = new Probe.ProbeClient(channel).Upload();

        for (var i = 1; i <= 100; i++)
            await call.RequestStream.WriteAsync(new ProbeRequest { Count = i }).Within();
        await call.RequestStream.CompleteAsync();

        (await call.ResponseAsync.Within()).Count.ShouldBe(5050);
        _attempts.ShouldBe(3);
    }

    [Fact]
    public async Task Talk_is_tried_again_before_the_server_has_said_anything()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Talk = async (requests, responses, _) =>
            {
                await requests.MoveNext();
                FailUntil(2);
                do
                    await responses.WriteAsync(new ProbeReply { Count = requests.Current.Count });
                while (await requests.MoveNext());
            },
        });
        using var channel = host.CreateChannel(Retrying());
        using var call = new Probe.ProbeClient(channel).Talk();

        for (var i = 0; i < 20; i++)
        {
            await call.RequestStream.WriteAsync(new ProbeRequest { Count = i }).Within();
            (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
            call.ResponseStream.Current.Count.ShouldBe(i);
        }

        await call.RequestStream.CompleteAsync();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeFalse();
        _attempts.ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Call_that_is_too_big_to_keep_is_made_once(bool perCall)
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Upload = async (requests, _) =>
            {
                while (await requests.MoveNext())
                {
                }

                FailUntil(2);
                return new ProbeReply();
            },
        });
        var options = Retrying();
        options.MaxRetryBufferPerCallSize = perCall ? 10_000 : null;
        options.MaxRetryBufferSize = perCall ? null : 10_000;
        using var channel = host.CreateChannel(options);
        var client = new Probe.ProbeClient(channel);

        using var big = client.Upload();
        for (var i = 0; i < 5; i++)
        {
            await big.RequestStream.WriteAsync(
                new ProbeRequest { Data = ByteString.CopyFrom(new byte[5000]) }).Within();
        }

        await big.RequestStream.CompleteAsync();
        (await ErrorOf(big.ResponseAsync)).StatusCode.ShouldBe(StatusCode.Unavailable);
        _attempts.ShouldBe(1);

        // What it held is free again.
        _attempts = 0;
        using var small = client.Upload();
        await small.RequestStream.WriteAsync(new ProbeRequest()).Within();
        await small.RequestStream.CompleteAsync();
        await small.ResponseAsync.Within();
        _attempts.ShouldBe(2);
    }

    [Fact]
    public async Task Deadline_and_cancellation_end_the_wait_for_the_next_attempt()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, _) => throw new RpcException(new Status(StatusCode.Unavailable, "no")),
        });
        using var channel = host.CreateChannel(Retrying(backoff: TimeSpan.FromHours(1)));
        var client = new Probe.ProbeClient(channel);
        using var cancel = new CancellationTokenSource();

        var late = client.UnaryAsync(new ProbeRequest(), deadline: DateTime.UtcNow.AddMilliseconds(150));
        using var cancelled = client.UnaryAsync(new ProbeRequest(), cancellationToken: cancel.Token);
        (await ErrorOf(late.ResponseAsync)).StatusCode.ShouldBe(StatusCode.DeadlineExceeded);
        await cancel.CancelAsync();
        (await ErrorOf(cancelled.ResponseAsync)).StatusCode.ShouldBe(StatusCode.Cancelled);
        cancelled.GetStatus().StatusCode.ShouldBe(StatusCode.Cancelled);
    }

    [Fact]
    public async Task Abandoned_call_is_cancelled_at_the_server()
    {
        var cancelled = new TaskCompletionSource();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Talk = async (requests, responses, context) =>
            {
                context.CancellationToken.Register(cancelled.SetResult);
                await responses.WriteAsync(new ProbeReply());
                await requests.MoveNext();
            },
        });
        using var channel = host.CreateChannel(Retrying());

        var call = new Probe.ProbeClient(channel).Talk();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        call.Dispose();

        await cancelled.Task.Within();
        (await ErrorOf(call.ResponseStream.MoveNext())).StatusCode.ShouldBe(StatusCode.Cancelled);
        (await ErrorOf(call.RequestStream.WriteAsync(new ProbeRequest()))).StatusCode.ShouldBe(StatusCode.Cancelled);
    }

    [Fact]
    public async Task Server_that_answers_early_ends_the_writing()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Upload = async (requests, _) =>
            {
                await requests.MoveNext();
                throw new RpcException(new Status(StatusCode.ResourceExhausted, "enough"));
            },
        });
        using var channel = host.CreateChannel(Retrying());
        using var call = new Probe.ProbeClient(channel).Upload();

        var error = await Record.ExceptionAsync(async () =>
        {
            while (true)
            {
                await call.RequestStream.WriteAsync(
                    new ProbeRequest { Data = ByteString.CopyFrom(new byte[10_000]) }).Within();
            }
        });

        error.ShouldBeOfType<RpcException>().Status.ShouldBe(new Status(StatusCode.ResourceExhausted, "enough"));
    }

    internal static GrpcChannelOptions Retrying(int attempts = 5, TimeSpan? backoff = null) => new()
    {
        ServiceConfig = new ServiceConfig
        {
            MethodConfigs =
            {
                new MethodConfig
                {
                    Names = { MethodName.Default },
                    RetryPolicy = new RetryPolicy
                    {
                        MaxAttempts = attempts,
                        InitialBackoff = backoff ?? TimeSpan.FromMilliseconds(1),
                        MaxBackoff = backoff ?? TimeSpan.FromMilliseconds(10),
                        BackoffMultiplier = 2,
                        RetryableStatusCodes = { StatusCode.Unavailable },
                    },
                },
            },
        },
    };

    void FailUntil(int attempt)
    {
        if (++_attempts < attempt)
            throw new RpcException(new Status(StatusCode.Unavailable, "not yet"));
    }

    static async Task<RpcException> ErrorOf(Task task) =>
        (await Record.ExceptionAsync(() => task.Within())).ShouldBeOfType<RpcException>();
}
