using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Hexcast.Grpc.Tests.Hostile;

public sealed class TcpManyStreamsTests() : ManyStreamsTests(Wiring.Tcp);

public sealed class InMemoryManyStreamsTests() : ManyStreamsTests(Wiring.InMemory);

/// <summary>Streams that are opened and cancelled leave nothing behind, on either side.</summary>
public abstract class ManyStreamsTests
{
    const int Streams = 10_000;
    const int AtOnce = 50;

    readonly Wiring _wiring;
    readonly WeakReference[] _left = new WeakReference[2 * Streams];
    int _opened;
    int _cancelled;
    int _running;

    private protected ManyStreamsTests(Wiring wiring) => _wiring = wiring;

    [Fact]
    public async Task Ten_thousand_streams_opened_and_cancelled_leave_nothing()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers { Talk = TalkAsync });

        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => OpenAndCancelAsync(host))).WaitAsync(Limits.Hang);

        async Task NoneRuns()
        {
            while (Volatile.Read(ref _running) > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }

        await NoneRuns().Within();
        _opened.ShouldBe(Streams);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        // A connection keeps some of its last streams to use them again; of so many that is next to nothing.
        _left.Count(reference => reference.IsAlive).ShouldBeLessThan(4 * AtOnce);
        host.Log.ShouldBeEmpty();
    }

    async Task TalkAsync(
        IAsyncStreamReader<ProbeRequest> requests, IServerStreamWriter<ProbeReply> responses, ServerCallContext context)
    {
        Interlocked.Increment(ref _running);
        try
        {
            _left[Interlocked.Increment(ref _opened) - 1] = new WeakReference(context);
            await responses.WriteAsync(new ProbeReply());
            await requests.MoveNext(context.CancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    async Task OpenAndCancelAsync(ProbeHost host)
    {
        for (var i = 0; i < Streams / AtOnce; i++)
            await OpenAndCancelOneAsync(host);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    async Task OpenAndCancelOneAsync(ProbeHost host)
    {
        using var cancel = new CancellationTokenSource();
        using var call = host.Client.Talk(cancellationToken: cancel.Token);
        (await call.ResponseStream.MoveNext()).ShouldBeTrue();
        await cancel.CancelAsync();
        (await Should.ThrowAsync<RpcException>(() => call.ResponseStream.MoveNext())).StatusCode
            .ShouldBe(StatusCode.Cancelled);
        _left[Streams + Interlocked.Increment(ref _cancelled) - 1] = new WeakReference(call.ResponseStream);
    }
}
