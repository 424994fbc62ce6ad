using System.Threading.Channels;
using Grpc.Core;
using Hexcast.Coordination;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Election;
using Hexcast.Master.Tests.Support;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hexcast.Master.Tests;

/// <summary>Term after term under one fence, on a coordinator that answers the master no more.</summary>
public sealed class MastershipTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_term_that_ends_after_a_while_is_followed_at_once_however_many_failed_before()
    {
        await using var node = await MasterNode.StartAsync();
        var (calls, clock) = (new Refusals(), new HandClock());
        var self = new NodeSettings { DataFolder = Path.GetTempPath() };
        using var mastership = new Mastership(
            new MasterElection(
                node.Coordinator, new CoordinationOptions(), self, TimeProvider.System,
                NullLogger<MasterElection>.Instance),
            new CoordinatorClient(calls, TimeProvider.System), new MasterOptions(), self,
            new ObjectSweeper(node.Objects, clock, NullLogger<ObjectSweeper>.Instance), clock,
            NullLogger<Mastership>.Instance);
        await mastership.StartAsync(Cancel);
        for (var term = 0; term < 8; term++)
        {
            (await calls.NextAsync()).SetResult();
            await EndOfWaitAsync(clock, shortest: Math.Min(1_000, 25 << term));
        }

        var last = await calls.NextAsync();
        clock.Pass(TimeSpan.FromMinutes(1));
        last.SetResult();
        var wait = await clock.NextAsync();
        wait.Due.ShouldBeLessThanOrEqualTo(TimeSpan.FromMilliseconds(50));
        await mastership.StopAsync(Cancel);
    }

    private static async Task EndOfWaitAsync(HandClock clock, int shortest)
    {
        var wait = await clock.NextAsync();
        wait.Due.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(shortest));
        wait.End();
    }

    /// <summary>Every call fails, when it is told to.</summary>
    private sealed class Refusals : CallInvoker
    {
        private readonly Channel<TaskCompletionSource> calls = Channel.CreateUnbounded<TaskCompletionSource>();

        public ValueTask<TaskCompletionSource> NextAsync() => calls.Reader.ReadAsync(Cancel);

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            calls.Writer.TryWrite(told);
            return new AsyncUnaryCall<TResponse>(
                RefuseAsync<TResponse>(told.Task), Task.FromResult(new Metadata()), () => Status.DefaultSuccess,
                () => [], () => { });
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            throw new NotSupportedException();

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            throw new NotSupportedException();

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            throw new NotSupportedException();

        private static async Task<TResponse> RefuseAsync<TResponse>(Task told)
        {
            await told;
            throw new RpcException(new Status(StatusCode.Unavailable, "nobody answers"));
        }
    }

    /// <summary>Its time and its timers go on when they are told to.</summary>
    private sealed class HandClock : TimeProvider
    {
        private readonly Channel<Wait> waits = Channel.CreateUnbounded<Wait>();
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref ticks);

        public void Pass(TimeSpan time) => Interlocked.Add(ref ticks, time.Ticks);

        public ValueTask<Wait> NextAsync() => waits.Reader.ReadAsync(Cancel);

        public override ITimer CreateTimer(
            TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var wait = new Wait(dueTime, () => callback(state));
            waits.Writer.TryWrite(wait);
            return wait;
        }

        internal sealed record Wait(TimeSpan Due, Action End) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
                // Nothing of it is left.
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
