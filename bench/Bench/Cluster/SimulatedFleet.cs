using Hexcast.Contracts.V1;
using Hexcast.Master;
using Hexcast.Master.Scheduling;

namespace Hexcast.Bench.Cluster;

/// <summary>
/// The real scheduler core, in simulated time, and workers of one slot each: an attempt takes as long as its job has
/// decided. Messages take no time.
/// </summary>
internal sealed class SimulatedFleet
{
    private const string Media = "01jdf3k5v8e9x2m4n6p8q0r2s4";
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(3);

    /// <summary>Of a run; and streams live so long, so that none is followed by another.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromDays(1);

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly SchedulerCore core = new(new MasterOptions { StreamMaxAge = Limit }, fence: 1);
    private readonly PriorityQueue<Action, (DateTimeOffset At, long Order)> agenda = new();
    private readonly Dictionary<string, RandomJob> jobs;
    private readonly Dictionary<long, AttemptRef> running = [];
    private readonly HashSet<string> unfinished;
    private readonly int workers;
    private DateTimeOffset now = Start;
    private long lastNumber;

    public SimulatedFleet(IReadOnlyList<RandomJob> jobs, int workers)
    {
        this.jobs = jobs.ToDictionary(job => job.Id, StringComparer.Ordinal);
        unfinished = [.. this.jobs.Keys];
        this.workers = workers;
    }

    /// <summary>Orders all jobs at once; how long until the last has ended.</summary>
    public TimeSpan Run()
    {
        Feed(new Loaded([], []));
        for (var session = 1; session <= workers; session++)
        {
            Feed(new WorkerJoined(session, new WorkerHello { NodeId = $"worker-{session}", Slots = 1 }));
            BeatAfter(session);
        }

        foreach (var (job, index) in jobs.Keys.Select((job, index) => (job, index)))
        {
            Feed(new TranscodeOrdered(++lastNumber, job, new TranscodeRequest
            {
                MediaId = $"{Media[..^2]}{index:D2}", PresetName = "ladder", Class = "hd", SourceKey = "sources/of-it",
            }));
        }

        while (unfinished.Count > 0)
        {
            if (!agenda.TryDequeue(out var next, out var due) || due.At > Start + Limit)
            {
                throw new InvalidOperationException($"Never ended: {string.Join(", ", unfinished)}.");
            }

            now = due.At;
            next();
        }

        return now - Start;
    }

    private void After(TimeSpan delay, Action next) => agenda.Enqueue(next, (now + delay, ++lastNumber));

    private void BeatAfter(long session) => After(Beat, () =>
    {
        var heartbeat = new WorkerHeartbeat();
        if (running.TryGetValue(session, out var attempt))
        {
            heartbeat.Tasks.Add(new TaskProgress { Attempt = attempt, Fraction = 0.5 });
        }

        Feed(new WorkerHeard(session, heartbeat));
        BeatAfter(session);
    });

    private void Feed(SchedulerEvent happened)
    {
        foreach (var effect in core.Step(happened, now))
        {
            switch (effect)
            {
                case Send { Message.Assign: { } task } send:
                    running.Add(send.Session, task.Attempt);
                    After(TimeSpan.FromSeconds(Seconds(task)), () => Commit(send.Session, task));
                    break;
                case Sweep sweep:
                    After(TimeSpan.Zero, () => Feed(new Swept(sweep.JobId)));
                    break;
                case JobOver { Job.State: JobState.Done } over:
                    unfinished.Remove(over.Job.JobId);
                    break;
            }
        }
    }

    private double Seconds(TaskAssignment task) => jobs[task.Attempt.JobId].TaskSeconds[task.Attempt.TaskId];

    private void Commit(long session, TaskAssignment task)
    {
        running.Remove(session);
        var plan = jobs[task.Attempt.JobId].Plan;
        Feed(new AttemptReported(++lastNumber, new ReportStatusRequest
        {
            NodeId = $"worker-{session}",
            Attempt = task.Attempt,
            Fence = task.Fence,
            Commit = new TaskCommit
            {
                Result = new ObjectRef { Key = task.Attempt.TaskId, Length = 1 },
                Plan = task.Probe is not null ? plan : null,
                MediaSeconds = task.Chunk is { } chunk ? plan.ChunkSeconds[chunk.Chunk]
                    : task.Audio is not null ? plan.DurationSeconds : 0,
                WallSeconds = Seconds(task),
            },
        }));
    }
}
