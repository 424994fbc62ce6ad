using Google.Protobuf;
using Grpc.Core;

namespace Hexcast.Grpc.Tests;

public sealed class TcpCallKindTests() : CallKindTests(Wiring.Tcp);

public sealed class TlsCallKindTests() : CallKindTests(Wiring.Tls);

public sealed class InMemoryCallKindTests() : CallKindTests(Wiring.InMemory);

/// <summary>The four kinds of calls, small and big, alone and many at once.</summary>
public abstract class CallKindTests
{
    readonly Wiring _wiring;

    private protected CallKindTests(Wiring wiring) => _wiring = wiring;

    [Fact]
    public async Task Unary_call_brings_the_reply_and_ok()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Unary = Echo });

        using var call = host.Client.UnaryAsync(new ProbeRequest { Text = "hello" });

        (await call.ResponseAsync.Within()).Text.ShouldBe("hello");
        call.GetStatus().ShouldBe(Status.DefaultSuccess);
        host.Client.Unary(new ProbeRequest { Text = "blocking" }).Text.ShouldBe("blocking");
    }

    [Fact]
    public async Task Server_streams_messages_in_order_and_then_ends()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Download = async (request, responses, _) =>
            {
                for (var i = 0; i < request.Count; i++)
                    await responses.WriteAsync(new ProbeReply { Count = i });
            },
        });

        using var call = host.Client.Download(new ProbeRequest { Count = 1000 });
        var counts = await call.ResponseStream.ReadAllAsync()
            .Select(reply => reply.Count).ToListAsync().AsTask().Within();

        counts.ShouldBe(Enumerable.Range(0, 1000));
        call.GetStatus().StatusCode.ShouldBe(StatusCode.OK);
    }

    [Fact]
    public async Task Client_streams_messages_and_gets_one_reply()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Upload = async (requests, _) =>
            {
                var sum = 0;
                await foreach (var request in requests.ReadAllAsync())
                    sum += request.Count;
                return new ProbeReply { Count = sum };
            },
        });

        using var call = host.Client.Upload();
        for (var i = 1; i <= 1000; i++)
            await call.RequestStream.WriteAsync(new ProbeRequest { Count = i }).Within();
        await call.RequestStream.CompleteAsync();

        (await call.ResponseAsync.Within()).Count.ShouldBe(500_500);
    }

    [Fact]
    public async Task Both_sides_talk_in_turns_on_one_call()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Talk = EchoAll });

        using var call = host.Client.Talk();
        for (var i = 0; i < 100; i++)
        {
            await call.RequestStream.WriteAsync(new ProbeRequest { Count = i }).Within();
            (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
            call.ResponseStream.Current.Count.ShouldBe(i);
        }

        await call.RequestStream.CompleteAsync();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeFalse();
        call.GetStatus().StatusCode.ShouldBe(StatusCode.OK);
    }

    [Fact]
    public async Task Server_may_speak_first()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Talk = async (requests, responses, _) =>
            {
                await responses.WriteAsync(new ProbeReply { Text = "welcome" });
                await requests.MoveNext();
            },
        });

        using var call = host.Client.Talk();

        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        call.ResponseStream.Current.Text.ShouldBe("welcome");
        await call.RequestStream.CompleteAsync();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeFalse();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(65_536)]
    [InlineData(4_000_000)]
    public async Task Message_of_any_size_up_to_the_limit_arrives_whole_both_ways(int bytes)
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring, new ProbeHandlers { Unary = Echo, Talk = EchoAll });
        var data = new byte[bytes];
        new Random(bytes).NextBytes(data);
        var request = new ProbeRequest { Data = ByteString.CopyFrom(data) };

        var reply = await host.Client.UnaryAsync(request).ResponseAsync.Within();
        reply.Data.Span.SequenceEqual(data).ShouldBeTrue();

        using var call = host.Client.Talk();
        for (var i = 0; i < 3; i++)
        {
            await call.RequestStream.WriteAsync(request).Within();
            (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
            call.ResponseStream.Current.Data.Span.SequenceEqual(data).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Five_hundred_calls_at_once_each_get_their_own_reply()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Unary = Echo });

        var replies = await Task.WhenAll(Enumerable.Range(0, 500)
            .Select(i => host.Client.UnaryAsync(new ProbeRequest { Count = i }).ResponseAsync)).Within();

        replies.Select(reply => reply.Count).ShouldBe(Enumerable.Range(0, 500));
    }

    [Fact]
    public async Task Hundred_and_fifty_streams_run_side_by_side()
    {
        // More than the 100 streams that Kestrel takes on one connection.
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Talk = EchoAll });
        var calls = Enumerable.Range(0, 150).Select(_ => host.Client.Talk()).ToList();

        foreach (var (call, i) in calls.Select((call, i) => (call, i)))
            await call.RequestStream.WriteAsync(new ProbeRequest { Count = i }).Within();
        foreach (var (call, i) in calls.Select((call, i) => (call, i)))
        {
            (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
            call.ResponseStream.Current.Count.ShouldBe(i);
        }

        foreach (var call in calls)
            call.Dispose();
    }

    [Fact]
    public async Task Buffered_messages_go_out_with_the_next_one_that_is_flushed()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Talk = EchoAll });

        using var call = host.Client.Talk();
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        await call.RequestStream.WriteAsync(new ProbeRequest { Count = 1 }).Within();
        await call.RequestStream.WriteAsync(new ProbeRequest { Count = 2 }).Within();
        call.RequestStream.WriteOptions = WriteOptions.Default;
        await call.RequestStream.WriteAsync(new ProbeRequest { Count = 3 }).Within();

        for (var i = 1; i <= 3; i++)
        {
            (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
            call.ResponseStream.Current.Count.ShouldBe(i);
        }
    }

    [Fact]
    public async Task Second_write_before_the_first_is_done_is_refused()
    {
        var refused = new TaskCompletionSource<Exception?>();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Download = async (_, responses, _) =>
            {
                // Big enough to fill every window on the way, so that the first write has to wait.
                var first = responses.WriteAsync(
                    new ProbeReply { Data = ByteString.CopyFrom(new byte[3_000_000]) });
                refused.SetResult(await Record.ExceptionAsync(() => responses.WriteAsync(new ProbeReply())));
                await first;
            },
        });

        using var call = host.Client.Download(new ProbeRequest());

        (await refused.Task.Within()).ShouldBeOfType<InvalidOperationException>();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeFalse();
    }

    [Fact]
    public async Task Writer_waits_for_a_slow_reader()
    {
        const int messages = 500;
        const int messageBytes = 64 * 1024;
        var stalledAfter = new TaskCompletionSource<int>();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Download = async (_, responses, _) =>
            {
                var reply = new ProbeReply { Data = ByteString.CopyFrom(new byte[messageBytes]) };
                for (var i = 0; i < messages; i++)
                {
                    var write = responses.WriteAsync(reply);
                    if (await Task.WhenAny(write, Task.Delay(500)) != write)
                        stalledAfter.TrySetResult(i);
                    await write;
                }
            },
        });

        using var call = host.Client.Download(new ProbeRequest());
        var written = await stalledAfter.Task.Within();

        written.ShouldBeLessThan(100);
        (await call.ResponseStream.ReadAllAsync().CountAsync().AsTask().Within()).ShouldBe(messages);
    }

    [Fact]
    public async Task Client_waits_for_a_server_that_does_not_read()
    {
        const int messages = 500;
        const int messageBytes = 64 * 1024;
        var mayRead = new TaskCompletionSource();
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Upload = async (requests, _) =>
            {
                await mayRead.Task;
                return new ProbeReply { Count = await requests.ReadAllAsync().CountAsync() };
            },
        });
        using var call = host.Client.Upload();
        var request = new ProbeRequest { Data = ByteString.CopyFrom(new byte[messageBytes]) };
        for (var i = 0; i < messages; i++)
        {
            var write = call.RequestStream.WriteAsync(request);
            if (!mayRead.Task.IsCompleted && await Task.WhenAny(write, Task.Delay(500)) != write)
            {
                i.ShouldBeLessThan(100);
                mayRead.SetResult();
            }

            await write.Within();
        }

        await call.RequestStream.CompleteAsync();

        mayRead.Task.IsCompleted.ShouldBeTrue();
        (await call.ResponseAsync.Within()).Count.ShouldBe(messages);
    }

    static Task<ProbeReply> Echo(ProbeRequest request, ServerCallContext context) => Task.FromResult(Reply(request));

    static async Task EchoAll(
        IAsyncStreamReader<ProbeRequest> requests, IServerStreamWriter<ProbeReply> responses, ServerCallContext context)
    {
        await foreach (var request in requests.ReadAllAsync(context.CancellationToken))
            await responses.WriteAsync(Reply(request));
    }

    static ProbeReply Reply(ProbeRequest request) =>
        new() { Text = request.Text, Count = request.Count, Data = request.Data };
}
