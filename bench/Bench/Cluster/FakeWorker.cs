using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using Hexcast.Contracts.V1;

namespace Hexcast.Bench.Cluster;

/// <summary>
/// A worker on the real wire that does no work: it keeps its stream and its heartbeats, and reports each attempt as
/// committed as soon as it may.
/// </summary>
internal sealed class FakeWorker : IAsyncDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(3);

    private readonly MasterLine master;
    private readonly string name;
    private readonly int slots;
    private readonly Gate gate;
    private readonly Func<TaskAssignment, CancellationToken, Task> committed;
    private readonly Channel<TaskAssignment> assigned = Channel.CreateUnbounded<TaskAssignment>();
    private readonly ConcurrentDictionary<AttemptRef, AttemptRef> held = new();
    private readonly CancellationTokenSource ending = new();
    private readonly TaskCompletionSource welcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task all;

    /// <param name="find">The master.</param>
    /// <param name="name">Of the node.</param>
    /// <param name="slots">Attempts at once.</param>
    /// <param name="gate">While it is shut nothing is reported.</param>
    /// <param name="committed">After each commit that was accepted.</param>
    public FakeWorker(
        Func<Task<PlatformProcess>> find, string name, int slots, Gate gate,
        Func<TaskAssignment, CancellationToken, Task> committed)
    {
        master = new MasterLine(find);
        (this.name, this.slots, this.gate, this.committed) = (name, slots, gate, committed);
        all = RunAsync(ending.Token);
    }

    /// <summary>A master has welcomed it; faulted if it ends before.</summary>
    public Task Welcomed => Task.WhenAny(welcome.Task, all).Unwrap();

    /// <summary>Does not end before the worker does.</summary>
    public Task Ended => all;

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        master.Dispose();
        ending.Dispose();
    }

    // Whatever ends first has failed.
    private async Task RunAsync(CancellationToken cancel) => await await Task.WhenAny(
        Enumerable.Range(0, slots).Select(_ => ReportAsync(cancel)).Append(StreamAsync(cancel)));

    private async Task StreamAsync(CancellationToken cancel)
    {
        while (true)
        {
            // A stream that ends, however it does, is followed by another, at the master of then.
            await master.CallAsync<bool>(calls => OneStreamAsync(calls.Scheduler, cancel), cancel);
        }
    }

    private async Task<bool> OneStreamAsync(Scheduler.SchedulerClient scheduler, CancellationToken cancel)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var stream = scheduler.StreamHeartbeat(cancellationToken: over.Token);
        var hello = new WorkerHello { NodeId = name, Slots = slots };
        hello.Running.Add(held.Keys);
        await stream.RequestStream.WriteAsync(new WorkerMessage { Hello = hello }, cancel);
        var beating = BeatAsync(stream.RequestStream, over.Token);
        try
        {
            while (await stream.ResponseStream.MoveNext(cancel))
            {
                Take(stream.ResponseStream.Current);
            }

            throw new RpcException(new Status(StatusCode.Unavailable, "The stream has ended."));
        }
        finally
        {
            await over.CancelAsync();
            await beating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Take(MasterMessage message)
    {
        if (message.Welcome is not null)
        {
            welcome.TrySetResult();
        }
        else if (message.Assign is { } task && held.TryAdd(task.Attempt, task.Attempt))
        {
            assigned.Writer.TryWrite(task);
        }
    }

    private async Task BeatAsync(IClientStreamWriter<WorkerMessage> messages, CancellationToken over)
    {
        while (true)
        {
            var heartbeat = new WorkerHeartbeat
            {
                CpuLoad = 0.5, MemoryFreeBytes = 1L << 40, MemoryTotalBytes = 1L << 40, ScratchFreeBytes = 1L << 40,
            };
            heartbeat.Tasks.Add(held.Keys.Select(attempt => new TaskProgress { Attempt = attempt }));
            await messages.WriteAsync(new WorkerMessage { Heartbeat = heartbeat }, over);
            await Task.Delay(Beat, TimeProvider.System, over);
        }
    }

    private async Task ReportAsync(CancellationToken cancel)
    {
        await foreach (var task in assigned.Reader.ReadAllAsync(cancel))
        {
            await gate.WaitAsync(cancel);
            var report = new ReportStatusRequest
            {
                NodeId = name,
                Attempt = task.Attempt,
                Fence = task.Fence,
                Commit = new TaskCommit
                {
                    Result = new ObjectRef { Key = $"media/{task.MediaId}/index.json", Length = 4_096 },
                    MediaSeconds = 4,
                    WallSeconds = 2,
                    Plan = task.Probe is null ? null : JobOrders.Plan,
                },
            };
            var verdict = await master.CallAsync(calls => calls.Reports.ReportAsync(report, cancel), cancel);
            held.TryRemove(task.Attempt, out _);
            if (verdict == ReportStatusResponse.Types.Verdict.Accepted)
            {
                await committed(task, cancel);
            }
        }
    }
}
