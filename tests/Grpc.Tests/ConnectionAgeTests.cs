using System.Collections.Concurrent;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Grpc.Tests;

/// <summary>A server that retires its connections loses no call by it.</summary>
public sealed class ConnectionAgeTests
{
    const int Connections = 8;

    // Long enough for a connection to be made on a busy machine.
    static readonly TimeSpan ShortAge = TimeSpan.FromMilliseconds(400);

    readonly ManualClock _clock = new();
    readonly ConcurrentDictionary<string, int> _calls = new();

    [Fact]
    public async Task No_unary_call_is_lost_while_connections_retire_under_it()
    {
        await using var host = await StartAsync(ShortAge);

        async Task CallUntilEnough()
        {
            while (_calls.Count < Connections)
                await host.Client.UnaryAsync(new ProbeRequest());
        }

        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => CallUntilEnough())).Within();
    }

    [Fact]
    public async Task Grpcio_loses_no_unary_call_while_connections_retire_under_it()
    {
        await using var host = await StartAsync(ShortAge);
        await using var client = await PythonPeer.StartAsync("until_enough.py", host.Address.Authority);

        (await client.ReadToEndAsync()).Trim().ShouldBe("no call failed");
        _calls.Count.ShouldBeGreaterThanOrEqualTo(Connections);
    }

    [Fact]
    public async Task A_stream_outlives_the_age_while_new_calls_take_a_new_connection()
    {
        await using var host = await StartAsync(TimeSpan.FromMinutes(30), clock: _clock);
        using var stream = host.Client.Talk();
        var first = await SayAsync(stream);
        (await host.Client.UnaryAsync(new ProbeRequest())).Text.ShouldBe(first);

        _clock.Advance(TimeSpan.FromMinutes(34));
        while (_calls.Count < 2)
            await host.Client.UnaryAsync(new ProbeRequest());

        (await SayAsync(stream)).ShouldBe(first);
        await stream.RequestStream.CompleteAsync();
        (await stream.ResponseStream.MoveNext().Within()).ShouldBeFalse();
    }

    [Fact]
    public async Task A_stream_that_outlives_the_grace_ends_as_unavailable()
    {
        await using var host = await StartAsync(TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(5), _clock);
        using var stream = host.Client.Talk();
        await SayAsync(stream);
        _clock.Advance(TimeSpan.FromMinutes(34));
        await SayAsync(stream);
        _clock.Advance(TimeSpan.FromMinutes(5));

        var failure = await Should.ThrowAsync<RpcException>(() => stream.ResponseStream.MoveNext().Within());
        failure.StatusCode.ShouldBe(StatusCode.Unavailable);
    }

    Task<ProbeHost> StartAsync(
        TimeSpan age, TimeSpan? grace = null, TimeProvider? clock = null) => ProbeHost.StartAsync(
        Wiring.Tcp,
        new ProbeHandlers
        {
            Unary = (_, context) => Task.FromResult(Note(context)),
            Talk = async (requests, responses, context) =>
            {
                await foreach (var _ in requests.ReadAllAsync())
                    await responses.WriteAsync(Note(context));
            },
        },
        services: services => services.AddSingleton(clock ?? TimeProvider.System),
        listener: listen => listen.UseMaxConnectionAge(
            new ConnectionAgeOptions { MaxAge = age, Grace = grace ?? Timeout.InfiniteTimeSpan }));

    ProbeReply Note(ServerCallContext context)
    {
        var connection = context.GetHttpContext().Connection.Id;
        _calls.AddOrUpdate(connection, 1, (_, calls) => calls + 1);
        return new ProbeReply { Text = connection, Count = _calls.Count < Connections ? 0 : 1 };
    }

    static async Task<string> SayAsync(AsyncDuplexStreamingCall<ProbeRequest, ProbeReply> stream)
    {
        await stream.RequestStream.WriteAsync(new ProbeRequest());
        (await stream.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        return stream.ResponseStream.Current.Text;
    }
}
