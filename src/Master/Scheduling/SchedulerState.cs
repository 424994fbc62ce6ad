using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>What the parts of the core share. Effects collect until the step ends.</summary>
internal sealed class SchedulerState(MasterOptions options, long fence, string nodeId)
{
    private readonly List<SchedulerEffect> effects = [];

    public MasterOptions Options { get; } = options;

    public long Fence { get; } = fence;

    /// <summary>Revision at which this term of the mastership began.</summary>
    public long TermRevision { get; set; }

    /// <summary>Of the node that is the master.</summary>
    public string NodeId { get; } = nodeId;

    public DateTimeOffset Now { get; set; }

    /// <summary>When this mastership began to act.</summary>
    public DateTimeOffset Since { get; set; }

    public Dictionary<string, JobRun> Jobs { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, List<JobRun>> JobsOfMedia { get; } = new(StringComparer.Ordinal);

    /// <summary>Jobs that have not ended, oldest first: ids sort by creation.</summary>
    public SortedDictionary<string, JobRun> Unfinished { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, WorkerRun> Workers { get; } = new(StringComparer.Ordinal);

    public Dictionary<long, WorkerRun> Sessions { get; } = [];

    /// <summary>Nodes that a person has taken out of use, by name.</summary>
    public SortedDictionary<string, NodeRecord> Drained { get; } = new(StringComparer.Ordinal);

    /// <summary>Tasks that wait for another attempt, the next due first.</summary>
    public SortedSet<TaskRun> Retries { get; } = new(Comparer<TaskRun>.Create((a, b) =>
        a.RetryAt != b.RetryAt ? Nullable.Compare(a.RetryAt, b.RetryAt)
        : a.Job != b.Job ? string.CompareOrdinal(a.Job.Id, b.Job.Id)
        : a.Spec.Rank - b.Spec.Rank));

    public SpeedModel Speeds { get; } = new();

    /// <summary>Jobs whose place in the queue is to be found anew.</summary>
    public HashSet<JobRun> Stale { get; } = [];

    public QueueCounts Counts { get; } = new();

    /// <summary>Jobs of one task by the request that they answer.</summary>
    public Dictionary<string, JobRun> ByRequest { get; } = new(StringComparer.Ordinal);

    /// <summary>Jobs of one task that have ended, the first to be forgotten first.</summary>
    public Queue<JobRun> OneTaskEnded { get; } = new();

    public void Emit(SchedulerEffect effect) => effects.Add(effect);

    public void Persist(params IReadOnlyList<RecordWrite> writes)
    {
        foreach (var write in writes)
        {
            write.Sign(Fence);
        }

        effects.Add(new Persist(writes));
    }

    /// <summary>
    /// A write of nothing: what follows is told only if this is still the mastership. For answers that say that
    /// something is not there, which a master that was replaced cannot know.
    /// </summary>
    public void ConfirmMastership()
    {
        var confirms = true;
        Planted.Bend(MasterFault.AbsenceNotConfirmed, ref confirms, to: false);
        if (confirms)
        {
            effects.Add(new Persist([]));
        }
    }

    public IReadOnlyList<SchedulerEffect> TakeEffects()
    {
        IReadOnlyList<SchedulerEffect> taken = [.. effects];
        effects.Clear();
        return taken;
    }

    public void Add(JobRun job)
    {
        Jobs.Add(job.Id, job);
        job.Stale = Stale;
        job.Counts = Counts;
        Stale.Add(job);
        if (job.IsOneTask)
        {
            ByRequest[job.Record.RequestId] = job;
        }

        if (!job.Ended)
        {
            Begin(job);
        }

        if (!JobsOfMedia.TryGetValue(job.Record.MediaId, out var jobs))
        {
            JobsOfMedia.Add(job.Record.MediaId, jobs = new(1));
        }

        jobs.Add(job);
    }

    public void Begin(JobRun job)
    {
        Unfinished.Add(job.Id, job);
        Counts.Count(job, 1);
    }

    public void End(JobRun job)
    {
        if (Unfinished.Remove(job.Id))
        {
            Counts.Count(job, -1);
        }
    }

    public void Remove(JobRun job)
    {
        Jobs.Remove(job.Id);
        End(job);
        job.ClearReady();
        (job.Stale, job.Counts) = (null, null);
        if (job.IsOneTask)
        {
            ByRequest.Remove(job.Record.RequestId);
        }

        var jobs = JobsOfMedia[job.Record.MediaId];
        jobs.Remove(job);
        if (jobs.Count == 0)
        {
            JobsOfMedia.Remove(job.Record.MediaId);
        }
    }

    /// <summary>The media's job of that preset that has neither failed nor been cancelled.</summary>
    public JobRun? Standing(string mediaId, string preset) =>
        JobsOfMedia.GetValueOrDefault(mediaId)?.Find(j => j.Record.PresetName == preset && !j.IsOneTask &&
            j.Record.Ending?.State is not (JobState.Failed or JobState.Cancelled));

    public WorkerRun Worker(string nodeId)
    {
        if (!Workers.TryGetValue(nodeId, out var worker))
        {
            Workers.Add(nodeId, worker = new WorkerRun(nodeId));
        }

        return worker;
    }

    /// <summary>Workers have so long to come to a new master: until then it cannot say what nobody could run.</summary>
    public bool IsGathering => Now - Since < Options.WorkerDeadAfter;

    /// <summary>Connected, or away for so short a time that they are counted on.</summary>
    public IEnumerable<WorkerRun> Present => Workers.Values.Where(worker => !worker.IsLost);

    public bool IsDrained(WorkerRun worker) => Drained.ContainsKey(worker.NodeId);

    /// <summary>Slots that may be given a task now.</summary>
    public int FreeSlots(WorkerRun worker) =>
        worker.Connected && !worker.Leaving && !worker.Retiring && !IsDrained(worker)
            ? worker.Slots - worker.Attempts.Count
            : 0;

    public TaskRun? Find(AttemptKey key) => Jobs.GetValueOrDefault(key.JobId)?.Find(key.TaskId);
}
