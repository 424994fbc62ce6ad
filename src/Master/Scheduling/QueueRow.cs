namespace Hexcast.Master.Scheduling;

/// <summary>
/// Jobs of one tenant whose only ready task asks for the same, the longest path first: where the first finds no node,
/// none does. A job with several ready tasks has a row of its own.
/// </summary>
/// <param name="pace">Of all of them.</param>
/// <param name="demand">Of all of them; null: of a single job, each of whose tasks may ask for something else.</param>
internal sealed class QueueRow(Pace pace, Demand? demand)
{
    private static readonly Comparer<JobRun> LongestFirst = Comparer<JobRun>.Create((a, b) =>
        a.Queued!.Work != b.Queued!.Work ? b.Queued.Work.CompareTo(a.Queued.Work) : string.CompareOrdinal(a.Id, b.Id));

    public static readonly Comparer<QueueRow> ByFirst =
        Comparer<QueueRow>.Create((a, b) => LongestFirst.Compare(a.First, b.First));

    private readonly SortedSet<JobRun> jobs = new(LongestFirst);

    public Pace Pace => pace;

    public Demand? Demand => demand;

    public JobRun First => jobs.Min!;

    public bool IsEmpty => jobs.Count == 0;

    public void Add(JobRun job) => jobs.Add(job);

    public void Remove(JobRun job) => jobs.Remove(job);
}

/// <summary>
/// The rows of a tenant in a class. Those of one pace keep their order whatever is learned about speeds; how those of
/// different paces compare is asked when the next is looked for.
/// </summary>
internal sealed class TenantQueue
{
    private readonly SortedDictionary<Pace, SortedSet<QueueRow>> rows = [];
    private readonly Dictionary<(Pace, Demand), QueueRow> byDemand = [];

    public bool IsEmpty => rows.Count == 0;

    public void Add(JobRun job, TaskRun first, int lane)
    {
        var pace = SpeedModel.PaceOf(first);
        var row = job.Ready.Count == 1 ? RowOf(pace, Demand.Of(first)) : new QueueRow(pace, null);
        Take(row);
        job.Queued = new QueueKey(
            lane, row, SpeedModel.WorkOf(first),
            first.ReadySince > job.LastServed ? first.ReadySince : job.LastServed);
        row.Add(job);
        Put(row);
    }

    public void Remove(JobRun job)
    {
        var row = job.Queued!.Row;
        Take(row);
        row.Remove(job);
        Put(row);
    }

    public IEnumerable<QueueRow> InOrder(SpeedModel speeds)
    {
        var next = rows.Values.Select(sorted => (IEnumerator<QueueRow>)sorted.GetEnumerator())
            .Where(each => each.MoveNext()).ToList();
        while (next.Count > 0)
        {
            var best = next[0];
            foreach (var each in next.Skip(1))
            {
                best = Precedes(each.Current, best.Current, speeds) ? each : best;
            }

            yield return best.Current;
            if (!best.MoveNext())
            {
                next.Remove(best);
            }
        }
    }

    private static bool Precedes(QueueRow row, QueueRow other, SpeedModel speeds)
    {
        var (path, otherPath) = (PathOf(row, speeds), PathOf(other, speeds));
        return path != otherPath ? path > otherPath : string.CompareOrdinal(row.First.Id, other.First.Id) < 0;
    }

    private static double PathOf(QueueRow row, SpeedModel speeds) =>
        speeds.PathSeconds(row.Pace, row.First.Queued!.Work);

    private QueueRow RowOf(Pace pace, Demand demand)
    {
        if (!byDemand.TryGetValue((pace, demand), out var row))
        {
            byDemand.Add((pace, demand), row = new QueueRow(pace, demand));
        }

        return row;
    }

    // A row stands where its first job would: it is taken out while that may change.
    private void Take(QueueRow row)
    {
        if (!row.IsEmpty)
        {
            rows[row.Pace].Remove(row);
        }
    }

    private void Put(QueueRow row)
    {
        if (!row.IsEmpty)
        {
            if (!rows.TryGetValue(row.Pace, out var sorted))
            {
                rows.Add(row.Pace, sorted = new(QueueRow.ByFirst));
            }

            sorted.Add(row);
            return;
        }

        if (row.Demand is { } demand)
        {
            byDemand.Remove((row.Pace, demand));
        }

        if (rows.TryGetValue(row.Pace, out var left) && left.Count == 0)
        {
            rows.Remove(row.Pace);
        }
    }
}
