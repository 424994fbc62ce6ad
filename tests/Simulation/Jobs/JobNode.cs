using Hexcast.Simulation.Coordinators;

namespace Hexcast.Simulation.Jobs;

/// <summary>
/// A coordinator's node, which may be the master. As its mastership does, it serves a term under each fence that it is
/// elected with, and after one that ended by itself another.
/// </summary>
internal sealed class JobNode(JobCluster cluster, GroupMember member) : IResident
{
    private JobElection? _election;
    private long _fence;

    public GroupMember Member => member;

    public JobMaster? Term { get; private set; }

    /// <summary>Whoever sets the node's clock moves it for the next term: a term reads it once, and from then on the
    /// clock that does not jump (SchedulerTerm.Now).</summary>
    public TimeSpan ClockOffset { get; set; }

    public void Begin() => member.After(TimeSpan.Zero, () =>
    {
        _election = new JobElection(cluster.Group, member, cluster.Weather.Stands, Elected);
        _election.Begin();
    });

    public void End()
    {
        _election?.End();
        (_election, _fence) = (null, 0);
        EndTerm();
    }

    public void Over(JobMaster term)
    {
        if (term == Term)
        {
            Term = null;
            member.After(cluster.World.Dice.Between(25, 500), Serve);
        }
    }

    private void Elected(long fence)
    {
        if (fence != _fence)
        {
            EndTerm();
            _fence = fence;
            Serve();
        }
    }

    private void Serve()
    {
        if (_fence > 0 && Term is null)
        {
            Term = new JobMaster(cluster, this, _fence);
            Term.Begin();
        }
    }

    private void EndTerm()
    {
        var term = Term;
        Term = null;
        term?.End();
    }
}
