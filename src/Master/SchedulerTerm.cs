using System.Threading.Channels;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Storage;
using Hexcast.Master.Watching;
using Hexcast.Master.Workers;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Telemetry;
using Microsoft.Extensions.Logging;

namespace Hexcast.Master;

/// <summary>
/// One mastership at work: the only owner of a <see cref="SchedulerCore"/>.
///
///   calls, streams, timer → 1. events → 2. Step → 3. effects in order
///                                                  ├ Persist: one transaction at a time, what waits goes together
///                                                  └ all others, once every Persist before them is durable
///
/// It ends when it is cancelled, or when the store says that the mastership is over or cannot say what it wrote; what
/// was not durable then was never told to anybody.
/// </summary>
internal sealed class SchedulerTerm(
    SchedulerCore core, long fence, CoordinatorJobStore store, ObjectSweeper sweeper, TimeProvider clock, ILogger log)
{
    private const int EventLimit = 4_096;

    /// <summary>Above it no event is taken until the disk has caught up.</summary>
    private const int EffectLimit = 16_384;

    private static readonly HexcastException Over = new(
        ErrorCodes.Unavailable, "The mastership of this node has ended. Ask again.");

    private readonly Channel<SchedulerEvent> events = Channel.CreateBounded<SchedulerEvent>(
        new BoundedChannelOptions(EventLimit) { SingleReader = true });

    private readonly EffectLog effects = new();
    private readonly PendingAnswers answers = new();
    private readonly WorkerStreams workers = new();
    private readonly JobWatches watches = new();
    private readonly List<Task> sweeps = [];
    private readonly DateTimeOffset startedAt = clock.GetUtcNow();
    private readonly long startedTimestamp = clock.GetTimestamp();
    private Task following = Task.CompletedTask;
    private long lastNumber;

    // Does not jump when the wall clock is set.
    private DateTimeOffset Now => startedAt + clock.GetElapsedTime(startedTimestamp);

    /// <summary>Why the term ended when it was not cancelled: words for the log.</summary>
    public async Task<string> RunAsync(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            var loaded = await store.LoadAsync(fence, stop);
            effects.Add(core.Step(loaded, Now));
            following = FollowSettingsAsync(ending.Token);
            return await LoopAsync(ending.Token);
        }
        finally
        {
            events.Writer.TryComplete();
            answers.RefuseAll(Over);
            workers.EndAll(Over.Message);
            watches.EndAll(Over);
            await ending.CancelAsync();
            await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.WhenAll(sweeps).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Asks the scheduler and waits for its answer.</summary>
    /// <exception cref="HexcastException">What the scheduler refuses with; unavailable when the term ends.</exception>
    public async Task<TAnswer> AskAsync<TAnswer>(Func<long, SchedulerEvent> ask, CancellationToken cancel)
        where TAnswer : IMessage
    {
        var request = Interlocked.Increment(ref lastNumber);
        return (TAnswer)await answers.WaitAsync(request, () => PostAsync(ask(request), cancel), cancel);
    }

    public async ValueTask<WorkerStream> OpenWorkerAsync(WorkerHello hello, CancellationToken cancel)
    {
        var stream = workers.Open(Interlocked.Increment(ref lastNumber));
        try
        {
            await PostAsync(new WorkerJoined(stream.Session, hello), cancel);
            return stream;
        }
        catch
        {
            workers.Close(stream.Session);
            throw;
        }
    }

    public ValueTask HearAsync(WorkerStream stream, WorkerHeartbeat heartbeat, CancellationToken cancel) =>
        PostAsync(new WorkerHeard(stream.Session, heartbeat), cancel);

    public async ValueTask CloseWorkerAsync(WorkerStream stream)
    {
        workers.Close(stream.Session);
        await PostIfOpenAsync(new WorkerLeft(stream.Session));
    }

    public async ValueTask<(long Subscription, ChannelReader<IReadOnlyList<JobEvent>> Events)> OpenWatchAsync(
        WatchJobRequest watch, CancellationToken cancel)
    {
        var subscription = Interlocked.Increment(ref lastNumber);
        var reader = watches.Open(subscription);
        try
        {
            await PostAsync(new WatchOpened(subscription, watch), cancel);
            return (subscription, reader);
        }
        catch
        {
            watches.Close(subscription);
            throw;
        }
    }

    public async ValueTask CloseWatchAsync(long subscription)
    {
        watches.Close(subscription);
        await PostIfOpenAsync(new WatchClosed(subscription));
    }

    private async ValueTask PostAsync(SchedulerEvent happened, CancellationToken cancel)
    {
        try
        {
            await events.Writer.WriteAsync(happened, cancel);
        }
        catch (ChannelClosedException)
        {
            throw Over;
        }
    }

    private async ValueTask PostIfOpenAsync(SchedulerEvent happened)
    {
        try
        {
            await events.Writer.WriteAsync(happened, CancellationToken.None);
        }
        catch (ChannelClosedException)
        {
            // The term has ended, and with it what the event is about.
        }
    }

    private async Task<string> LoopAsync(CancellationToken stop)
    {
        await using var alarm = clock.CreateTimer(
            _ => events.Writer.TryWrite(new Ticked()), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Task<bool>? commit = null;
        var readable = events.Reader.WaitToReadAsync(stop).AsTask();
        while (true)
        {
            ExecuteReady(stop);
            if (commit is null && effects.TakeBatch() is { } batch)
            {
                commit = store.CommitAsync(fence, batch, stop);
            }

            SetAlarm(alarm);
            Task next = effects.Count < EffectLimit ? Task.WhenAny(readable, commit ?? readable) : commit ?? readable;
            await next.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stop.ThrowIfCancellationRequested();
            if (commit is { IsCompleted: true })
            {
                if (await WhyOverAsync(commit) is { } why)
                {
                    return why;
                }

                effects.Committed();
                commit = null;
            }

            if (readable.IsCompleted)
            {
                await readable;
                TakeEvents();
                readable = events.Reader.WaitToReadAsync(stop).AsTask();
            }
        }
    }

    // What ends it ends the term: workers must not be led by settings of old.
    private async Task FollowSettingsAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var changed in store.FollowSettingsAsync(stop))
            {
                await PostAsync(changed, stop);
            }
        }
        catch (Exception failure) when (!stop.IsCancellationRequested)
        {
            events.Writer.TryComplete(failure);
        }
    }

    private static async Task<string?> WhyOverAsync(Task<bool> commit)
    {
        try
        {
            return await commit ? null : "the coordinator rejected a write: another master has taken over";
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            return $"the coordinator did not say whether a write is durable: {failure.Message}";
        }
    }

    private void TakeEvents()
    {
        while (effects.Count < EffectLimit && events.Reader.TryRead(out var happened))
        {
            effects.Add(core.Step(happened, Now));
        }
    }

    private void SetAlarm(ITimer alarm)
    {
        if (core.NextWake is { } wake)
        {
            var wait = wake - Now;
            alarm.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private void ExecuteReady(CancellationToken stop)
    {
        while (effects.Next() is { } effect)
        {
            switch (effect)
            {
                case Answer answer:
                    answers.Answer(answer.Request, answer.Message);
                    break;
                case Refuse refuse:
                    answers.Refuse(refuse.Request, new HexcastException(refuse.Code, refuse.Words));
                    break;
                case Send send:
                    MasterTelemetry.NoteSent(send.Message, Now);
                    workers.Send(send.Session, send.Message);
                    break;
                case DropWorker drop:
                    workers.End(drop.Session, drop.Reason);
                    break;
                case Feed feed:
                    watches.Feed(feed.Subscription, feed.Events);
                    break;
                case EndFeed end:
                    watches.End(end.Subscription, end.Code is null ? null : new HexcastException(end.Code, end.Words!));
                    break;
                case Sweep sweep:
                    sweeps.RemoveAll(s => s.IsCompleted);
                    sweeps.Add(SweepAsync(sweep, stop));
                    break;
                case Note note:
                    Write(note);
                    break;
                case Measure measure:
                    MasterTelemetry.Note(measure, Now);
                    break;
                default:
                    throw new InvalidOperationException($"nobody executes {effect.GetType().Name}");
            }
        }
    }

    // Words are no template: they may hold a tool's braces. Fields are what the line is about, if anything.
    private void Write(Note note)
    {
        var level = note.IsWarning ? LogLevel.Warning : note.IsDetail ? LogLevel.Debug : LogLevel.Information;
        if (!log.IsEnabled(level))
        {
            return;
        }

        List<KeyValuePair<string, object?>> fields = [];
        if (note.Job is { } job)
        {
            fields.Add(new("JobId", job.JobId));
            fields.Add(new("MediaId", job.MediaId));
            if (TraceContexts.Parse(job.Traceparent) is var trace && trace.IsValid())
            {
                fields.Add(new("TraceId", trace.TraceId.ToHexString()));
            }
        }

        log.Log(level, default, fields, null, (_, _) => note.Words);
    }

    private async Task SweepAsync(Sweep sweep, CancellationToken stop)
    {
        await sweeper.SweepAsync(sweep, stop);
        await PostIfOpenAsync(new Swept(sweep.JobId));
    }
}
