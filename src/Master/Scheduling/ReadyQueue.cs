namespace Hexcast.Master.Scheduling;

/// <summary>What a job's place in the queue follows from: its first ready task.</summary>
internal sealed record QueueKey(int Lane, QueueRow Row, double Work, DateTimeOffset Served);

/// <summary>
/// Jobs with ready tasks, in the order of service: class; in a class the tenant that has used least of its share; of a
/// tenant the longest remaining path; then age. Kept sorted, as a queue may hold a million: finding the next, and
/// moving one job, takes as long as the logarithm of that, and what is learned about speeds moves none.
/// </summary>
internal sealed class ReadyQueue(SchedulerState state, TenantShares shares)
{
    private readonly SortedDictionary<int, Dictionary<string, TenantQueue>> lanes = [];

    // Ids sort by age.
    private readonly SortedSet<JobRun> byService = new(Comparer<JobRun>.Create((a, b) =>
        a.Queued!.Served != b.Queued!.Served
            ? a.Queued.Served.CompareTo(b.Queued.Served)
            : string.CompareOrdinal(a.Id, b.Id)));

    /// <summary>The job that was served longest ago.</summary>
    public JobRun? LongestUnserved => byService.Min;

    /// <summary>The first job of each row stands for it.</summary>
    public IEnumerable<QueueRow> InOrder(Func<int, bool> isServed) => lanes.Where(lane => isServed(lane.Key))
        .SelectMany(lane => lane.Value
            .OrderBy(tenant => shares.Used(lane.Key, tenant.Key)).ThenBy(t => t.Key, StringComparer.Ordinal))
        .SelectMany(tenant => tenant.Value.InOrder(state.Speeds));

    /// <summary>Finds the places of jobs that have changed.</summary>
    public void Refresh()
    {
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
        var lane = Dispatcher.Lane(first);
        if (!lanes.TryGetValue(lane, out var tenants))
        {
            lanes.Add(lane, tenants = new(StringComparer.Ordinal));
        }

        if (!tenants.TryGetValue(job.Tenant, out var queue))
        {
            shares.Begin(lane, job.Tenant);
            tenants.Add(job.Tenant, queue = new TenantQueue());
        }

        queue.Add(job, first, lane);
        byService.Add(job);
    }

    private void Remove(JobRun job)
    {
        if (job.Queued is not { } key)
        {
            return;
        }

        byService.Remove(job);
        var tenants = lanes[key.Lane];
        var queue = tenants[job.Tenant];
        queue.Remove(job);
        if (queue.IsEmpty)
        {
            tenants.Remove(job.Tenant);
        }

        job.Queued = null;
    }
}
