using System.Threading.Channels;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;
using Hexcast.Worker.Attempts;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Worker;

/// <summary>
/// The shell around <see cref="WorkerCore"/>: one loop takes events, steps the core and sets errands going. An errand
/// (the stream, an attempt, a report, a removal) reports back by events only, and is awaited when the worker stops. An
/// errand that throws ends the loop, and so the node: a worker that lost one would look well and do nothing.
/// </summary>
internal sealed class WorkerLoop(
    NodeSettings node,
    WorkerOptions options,
    Workbench bench,
    AttemptRunner attempts,
    MasterLink master,
    ILogger<WorkerLoop> log) : BackgroundService
{
    // Errands wait when the loop is behind; the loop itself never waits for one.
    private const int EventLimit = 1024;

    // From the stop of a tool to the master's answer.
    private static readonly TimeSpan HandBackLimit = TimeSpan.FromSeconds(3);

    private readonly Channel<WorkerEvent> events = Channel.CreateBounded<WorkerEvent>(EventLimit);
    private WorkerCore core = null!;
    private readonly Dictionary<AttemptKey, CancellationTokenSource> running = [];
    private readonly Dictionary<AttemptKey, Backoff> reportBackoffs = [];
    private readonly List<Task> errands = [];
    private readonly Backoff streamBackoff = new(options.ReconnectFirst, options.ReconnectLimit, bench.Clock);
    private readonly Dictionary<int, MasterStream> streams = [];
    private readonly TaskCompletionSource left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DateTimeOffset startedAt = bench.Clock.GetUtcNow();
    private readonly long startedTimestamp = bench.Clock.GetTimestamp();
    private Task masterMoved = Task.CompletedTask;

    // Does not jump when the wall clock is set: a stream that nobody answers is given up in time.
    private DateTimeOffset Now => startedAt + bench.Clock.GetElapsedTime(startedTimestamp);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        bench.Scratch.Clear();
        core = new WorkerCore(options.ProfileOf(node, await bench.CheckAsync(cancellationToken)));
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // Alone there is nobody who would take what is handed back.
        if (node.NodeId != NodeSettings.Alone && ExecuteTask is { IsCompleted: false })
        {
            await LeaveAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        WorkerTelemetry.Offer(options.ResolvedSlots);
        Begin(TickAsync(stop.Token), stop.Token);
        await events.Writer.WriteAsync(new WorkerEvent.Started(), stop.Token);
        try
        {
            // Throws what an errand threw.
            await foreach (var happened in events.Reader.ReadAllAsync(stop.Token))
            {
                Forget(happened);
                foreach (var effect in core.Step(happened, Now))
                {
                    Execute(effect, stop.Token);
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            // What still runs is told by the token and leaves nothing behind; the stream's end tells the master.
            await Task.WhenAll(errands).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var stream in streams.Values)
            {
                stream.Dispose();
            }

            WorkerTelemetry.Offer(-options.ResolvedSlots);
        }
    }

    /// <summary>
    /// Lets what runs end for a while, then hands it back; the master gives it to others at once. Fails where an errand
    /// has ended the loop already: there is nothing to wait for then.
    /// </summary>
    private async Task LeaveAsync()
    {
        Task away = Task.WhenAny(left.Task, ExecuteTask!);
        await events.Writer.WriteAsync(new WorkerEvent.Leave(), CancellationToken.None);
        await away.WaitAsync(options.DrainWithin, bench.Clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await events.Writer.WriteAsync(new WorkerEvent.LeaveNow(), CancellationToken.None);
        await away.WaitAsync(HandBackLimit, bench.Clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Execute(WorkerEffect effect, CancellationToken stop)
    {
        switch (effect)
        {
            case WorkerEffect.OpenStream open:
                var opened = new MasterStream(open.Session, stop);
                streams.Add(open.Session, opened);
                Begin(StreamAsync(opened, open.Failures, stop), stop);
                break;
            case WorkerEffect.CloseStream close when streams.TryGetValue(close.Session, out var stream):
                log.LogInformation("The stream to the master is closed: {Reason}", close.Reason);
                stream.Close();
                break;
            case WorkerEffect.Send send when streams.TryGetValue(send.Session, out var stream):
                stream.Send(send.Message);
                break;
            case WorkerEffect.Left:
                left.TrySetResult();
                break;
            case WorkerEffect.Start start:
                var cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
                running.Add(AttemptKey.Of(start.Task.Attempt), cancel);
                Begin(AttemptAsync(start.Task, cancel.Token, stop), stop);
                break;
            case WorkerEffect.Stop cancelled:
                running[cancelled.Attempt].Cancel();
                break;
            case WorkerEffect.Report report:
                Begin(ReportAsync(report, stop), stop);
                break;
            case WorkerEffect.Remove remove:
                Begin(RemoveAsync(remove, stop), stop);
                break;
        }
    }

    private void Forget(WorkerEvent happened)
    {
        switch (happened)
        {
            case WorkerEvent.StreamLost lost when streams.Remove(lost.Session, out var stream):
                stream.Dispose();
                break;
            case WorkerEvent.Ended ended when running.Remove(ended.Attempt, out var cancel):
                cancel.Dispose();
                break;
            case WorkerEvent.Answered answered:
                reportBackoffs.Remove(answered.Attempt);
                break;
            case WorkerEvent.Tick:
                errands.RemoveAll(errand => errand.IsCompletedSuccessfully);
                break;
        }
    }

    private void Begin(Task errand, CancellationToken stop) => errands.Add(GuardAsync(errand, stop));

    private async Task GuardAsync(Task errand, CancellationToken stop)
    {
        try
        {
            await errand;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The worker stops.
        }
        // The boundary of an errand: nobody else looks at what it throws before the worker stops.
        catch (Exception failure)
        {
            events.Writer.TryComplete(failure);
        }
    }

    private ValueTask Post(WorkerEvent happened, CancellationToken stop) => events.Writer.WriteAsync(happened, stop);

    private async Task TickAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(options.HeartbeatInterval, bench.Clock);
        var sampler = new NodeLoadSampler(bench.Scratch.Folder);
        var load = default(NodeLoad);
        while (await timer.WaitForNextTickAsync(stop))
        {
            try
            {
                load = sampler.Sample();
                WorkerTelemetry.Note(load);
            }
            catch (IOException unreadable)
            {
                log.LogWarning("This machine's load cannot be read: {Reason}", unreadable.Message);
            }

            await Post(new WorkerEvent.Tick(load), stop);
        }
    }

    private async Task StreamAsync(MasterStream opened, int failures, CancellationToken stop)
    {
        await WaitForMasterAsync(failures, stop);
        masterMoved = master.Moved;
        var broken = await master.RunAsync(opened, happened => Post(happened, stop));
        if (!stop.IsCancellationRequested)
        {
            log.LogInformation("The stream to the master ended: {Reason}", broken?.Message ?? "the master closed it");
            await Post(new WorkerEvent.StreamLost(opened.Session), stop);
        }
    }

    private async Task AttemptAsync(TaskAssignment task, CancellationToken cancel, CancellationToken stop)
    {
        var key = AttemptKey.Of(task.Attempt);
        var outcome = await attempts.RunAsync(task, Tell, cancel);
        if (!stop.IsCancellationRequested)
        {
            await Post(new WorkerEvent.Ended(key, outcome), stop);
        }

        // Best effort: the next one says it better.
        void Tell(double fraction, double speed) =>
            events.Writer.TryWrite(new WorkerEvent.Progressed(key, fraction, speed));
    }

    private async Task ReportAsync(WorkerEffect.Report report, CancellationToken stop)
    {
        var key = AttemptKey.Of(report.Request.Attempt);
        if (report.Failures > 0)
        {
            if (!reportBackoffs.TryGetValue(key, out var backoff))
            {
                backoff = new Backoff(options.ReconnectFirst, options.ReconnectLimit, bench.Clock);
                reportBackoffs[key] = backoff;
            }

            await backoff.WaitAsync(stop);
        }

        await Post(await master.ReportAsync(report.Request, stop), stop);
    }

    private async Task RemoveAsync(WorkerEffect.Remove remove, CancellationToken stop)
    {
        log.LogInformation("The commit of {Attempt} is refused: what it wrote is removed", remove.Attempt);
        await attempts.RemoveObjectsAsync(remove.Prefix, stop);
        await Post(new WorkerEvent.Removed(remove.Attempt), stop);
    }

    // A new master counts on hearing from all workers at about the same time: whoever is late has lost its work. So
    // nobody waits out a delay that grew while there was none.
    private async Task WaitForMasterAsync(int failures, CancellationToken stop)
    {
        if (failures <= 1 || masterMoved.IsCompleted)
        {
            streamBackoff.Reset();
        }

        if (failures > 0)
        {
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await await Task.WhenAny(streamBackoff.WaitAsync(waiting.Token), masterMoved);
            await waiting.CancelAsync();
        }
    }
}
