using Hexcast.Raft;

namespace Hexcast.Simulation;

/// <summary>One group of consensus cores in its world, its clients, and what befalls it.</summary>
internal sealed class RaftGroup : NodeGroup<SimNode>
{
    private const double DeathInAStep = 0.0005;
    private const double DeathAtAnElection = 0.1;

    private readonly Turns _turns;

    public RaftGroup(World world, Weather weather)
        : base(world, weather)
    {
        _turns = new Turns(this);
        First = Members.Of(Enumerable.Range(1, weather.Voters).Select(i => (ulong)i));
        foreach (var voter in First.Voters)
        {
            Add(voter, First);
        }
        Clients = [.. Enumerable.Range(1, weather.Clients).Select(i => new SimClient(this, i))];
    }

    public Oracle Oracle { get; } = new();

    public Members First { get; }

    public IReadOnlyList<SimClient> Clients { get; }

    public List<Call> Calls { get; } = [];

    public int Acknowledged { get; set; }

    public void Add(ulong id, Members members) => Add(new SimNode(this, id, members));

    /// <summary>After damage a copy may be missing that was there when it was counted.</summary>
    public bool IsDurableAt(ulong node, ulong index, ulong term) =>
        Weather.Damage || Find(node)?.Disk.Holds(index, term) == true;

    public bool DiesInStep(SimNode node, List<RaftEffect> effects)
    {
        if (World.IsCalm)
        {
            return false;
        }
        if (_turns.DiesOf(node, effects))
        {
            return true;
        }
        if (!Weather.Crashes && !Weather.DeathAtElections)
        {
            return false;
        }
        var isElecting = Weather.DeathAtElections && effects.Exists(e => e
            is RaftEffect.LeaderChanged { Role: RaftRole.Leader }
            or RaftEffect.Send { Message: RaftMessage.VoteResponse { Granted: true, IsPre: false } });
        return World.Dice.Roll(isElecting ? DeathAtAnElection : DeathInAStep);
    }

    /// <summary>It has just begun to lead, and ends before it gets far: it dies, or nobody hears it any more.</summary>
    public void Leads(SimNode node)
    {
        if (World.IsCalm || _turns.Begin(node) || !Weather.DeathAtElections || World.Dice.Roll(0.4))
        {
            return;
        }
        if (World.Dice.Roll(0.4))
        {
            World.After(World.Dice.Between(0, 15), () => CrashFor(node));
            return;
        }
        World.After(World.Dice.Between(0, World.Dice.Roll(0.5) ? 0 : 15), () => Lines.Mute(node.Id));
        World.After(World.Dice.Between(200, 900), () => Lines.Unmute(node.Id));
    }

    public override void CrashFor(SimNode node)
    {
        base.CrashFor(node);
        _turns.Died(node);
    }

    public override void Restart(SimNode node)
    {
        if (_turns.IsAway(node))
        {
            return;
        }
        // A minority at a time: what more than that has lost, nobody can give back.
        var damaged = Weather.Damage && !World.IsCalm && World.Dice.Roll(0.3)
            && Nodes.All(n => n == node || !n.IsHurt) && SmallestGroup() >= 3;
        Damages += damaged ? 1 : 0;
        node.Boot(damaged);
    }

    /// <summary>By whom of the nodes thinks least.</summary>
    private int SmallestGroup() => Nodes.Where(n => n.IsUp && n.Core!.Members.Voters.Count > 0)
        .Select(n => n.Core!.Members.Voters.Count).DefaultIfEmpty(0).Min();
}
