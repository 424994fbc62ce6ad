using Hexcast.Contracts.V1;

namespace Hexcast.Simulation.Jobs;

/// <summary>Follows a job with a cursor, over masters and broken watches: it misses nothing and sees nothing twice.
/// </summary>
internal sealed class JobFollower(JobCluster cluster, string jobId)
{
    private readonly List<JobEvent> _seen = [];
    private JobMaster? _at;
    private long _subscription;

    public IReadOnlyList<JobEvent> Seen => _seen;

    public void Reopen()
    {
        _at?.Unwatch(_subscription);
        _at = null;
        if (cluster.Guess(cluster.Directory)?.Term is not { IsAlive: true } master)
        {
            cluster.World.After(cluster.World.Dice.Between(50, 500), ReopenIfLost);
            return;
        }
        _at = master;
        _subscription = master.Watch(this, new WatchJobRequest
        {
            JobId = jobId, AfterRevision = _seen.Count == 0 ? 0 : _seen[^1].Revision, Follow = true,
        });
    }

    public void Take(long subscription, IReadOnlyList<JobEvent> events)
    {
        foreach (var durable in events.Where(e => e.Revision > 0))
        {
            JobCluster.Require(
                durable.Revision == (_seen.Count == 0 ? 1 : _seen[^1].Revision + 1), $"a gap in the events of {jobId}");
            _seen.Add(durable);
        }
        if (!cluster.World.IsCalm && cluster.World.Dice.Roll(0.05))
        {
            cluster.World.After(cluster.World.Dice.Between(0, 100), Reopen);
        }
    }

    /// <summary>The master says that there is no such job; one that was replaced must not say so.</summary>
    public void End(long subscription) => JobCluster.Require(
        cluster.Ledger.Find(jobId) is null, $"a watch of {jobId} was ended, and it is there (I1)");

    private void ReopenIfLost()
    {
        if (_at is null)
        {
            Reopen();
        }
    }
}
