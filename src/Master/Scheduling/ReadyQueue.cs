namespace Hexcast.Master.Scheduling;

/// <summary>What a job's place in the queue follows from: its first ready task.</summary>
internal sealed record QueueKey(int Lane, string Tenant, double PathSeconds, DateTimeOffset Served);

/// <summary>
/// Jobs with ready tasks, in the order of service: class; in a class the tenant that has used least of its share; of a
/// tenant the longest remaining path; then age. Kept sorted, as a queue may hold a million.
/// </summary>
internal sealed class ReadyQueue(SchedulerState state, TenantShares shares)
{
    private readonly SortedDictionary<int, Dictionary<string, SortedSet<JobRun>>> lanes = [];

    // Ids sort by age.
    private readonly SortedSet<JobRun> byService = new(Comparer<JobRun>.Create((a, b) =>
        a.Queued!.Served != b.Queued!.Served
            ? a.Queued.Served.CompareTo(b.Queued.Served)
            : string.CompareOrdinal(a.Id, b.Id)));

    private int speedsKnown;

    /// <summary>The job that was served longest ago.</summary>
    public JobRun? LongestUnserved => byService.Min;

    public IEnumerable<JobRun> InOrder() => lanes
        .SelectMany(lane => lane.Value
            .OrderBy(tenant => shares.Used(lane.Key, tenant.Key)).ThenBy(t => t.Key, StringComparer.Ordinal))
        .SelectMany(tenant => tenant.Value);

    /// <summary>Finds the places of jobs that have changed, or of all where what is known of speeds has.</summary>
    public void Refresh()
    {
        if (state.Speeds.Version != speedsKnown)
        {
            speedsKnown = state.Speeds.Version;
            state.Stale.UnionWith(byService);
        }

        foreach (var job in state.Stale)
        {
            Remove(job);
            if (job is { Stale: not null, Sweeping: false, FirstReady: { } first })
            {
                Add(job, first);
            }
        }

        state.Stale.Clear();
    }

    private void Add(JobRun job, TaskRun first)
    {
        job.Queued = new QueueKey(
            Dispatcher.Lane(first), job.Tenant, state.Speeds.RemainingPathSeconds(first),
            first.ReadySince > job.LastServed ? first.ReadySince : job.LastServed);
        if (!lanes.TryGetValue(job.Queued.Lane, out var lane))
        {
            lanes.Add(job.Queued.Lane, lane = new(StringComparer.Ordinal));
        }

        if (!lane.TryGetValue(job.Tenant, out var jobs))
        {
            shares.Begin(job.Queued.Lane, job.Tenant);
            lane.Add(job.Tenant, jobs = new SortedSet<JobRun>(Comparer<JobRun>.Create((a, b) =>
                a.Queued!.PathSeconds != b.Queued!.PathSeconds
                    ? b.Queued.PathSeconds.CompareTo(a.Queued.PathSeconds)
                    : string.CompareOrdinal(a.Id, b.Id))));
        }

        jobs.Add(job);
        byService.Add(job);
    }

    private void Remove(JobRun job)
    {
        if (job.Queued is not { } key)
        {
            return;
        }

        byService.Remove(job);
        var lane = lanes[key.Lane];
        lane[key.Tenant].Remove(job);
        if (lane[key.Tenant].Count == 0)
        {
            lane.Remove(key.Tenant);
        }

        job.Queued = null;
    }
}
