using Hexcast.Raft;

namespace Hexcast.Simulation;

/// <summary>What befalls any group of nodes, as its weather allows; in the end it lets the sky clear.</summary>
internal abstract class Fate<TNode>(NodeGroup<TNode> group) where TNode : class, INode
{
    protected World World { get; } = group.World;

    protected Dice Dice { get; } = group.World.Dice;

    public void Begin()
    {
        var (weather, lines) = (group.Weather, group.Lines);
        Add(new Strokes(World, weather.StrokeMs))
            .If(weather.Partitions, Part, lines.Heal)
            .If(weather.OneWayCuts, CutOneWay, lines.Heal)
            .If(weather.Crashes, CrashOne, CrashOne, CrashMany)
            .If(weather.Pauses, PauseOne)
            .If(weather.SlowDisks, SlowDown)
            .If(weather.Transfers, Transfer)
            .If(weather.MemberChanges, ChangeMembers, ChangeMembers)
            .Begin();
    }

    public virtual void ClearUp()
    {
        World.IsCalm = true;
        group.Lines.Heal();
        foreach (var node in group.Nodes)
        {
            Mend(node);
            if (!node.IsUp)
            {
                group.Restart(node);
            }
            else if (node.IsPaused)
            {
                node.Resume();
            }
        }
    }

    /// <summary>Strokes that only this kind of group knows.</summary>
    protected virtual Strokes Add(Strokes strokes) => strokes;

    protected virtual void Mend(TNode node) => node.SyncMs = NodeGroup<TNode>.FastSync;

    protected abstract void ChangeMembers();

    /// <summary>Of a group with a bad disk three stay: what a majority has lost, nobody can give back.</summary>
    protected ulong? Removable(Members members) =>
        members.Voters.Count > (group.Weather.Damage ? 3 : 1) ? Dice.Pick(members.Voters) : null;

    /// <summary>The leader, more often than chance would have it: there it hurts.</summary>
    protected TNode Victim() => Dice.Roll(0.4) && group.Leader is { } leader ? leader : Dice.Pick(group.Nodes);

    private void Part()
    {
        var alone = Victim().Id;
        var side = group.Nodes.Select(n => n.Id)
            .Where(id => Dice.Roll(0.5) ? id == alone : Dice.Roll(0.5)).ToHashSet();
        foreach (var a in group.Nodes)
        {
            foreach (var b in group.Nodes.Where(b => side.Contains(a.Id) != side.Contains(b.Id)))
            {
                group.Lines.Cut(a.Id, b.Id);
            }
        }
    }

    private void CutOneWay()
    {
        var (victim, deaf) = (Victim().Id, Dice.Roll(0.5));
        var one = Dice.Pick(group.Nodes).Id;
        foreach (var other in group.Nodes.Select(n => n.Id).Where(id => id == one || Dice.Roll(0.7)))
        {
            group.Lines.Cut(deaf ? other : victim, deaf ? victim : other);
        }
    }

    private void CrashOne() => group.CrashFor(Victim());

    private void CrashMany()
    {
        var all = Dice.Roll(0.3);
        foreach (var node in group.Nodes.Where(_ => all || Dice.Roll(0.5)).ToList())
        {
            group.CrashFor(node);
        }
    }

    private void PauseOne()
    {
        var node = Victim();
        if (node is { IsUp: true, IsPaused: false })
        {
            node.Pause();
            World.After(Dice.Between(20, Dice.Roll(0.3) ? 3_000 : 500), () =>
            {
                if (node is { IsUp: true, IsPaused: true })
                {
                    node.Resume();
                }
            });
        }
    }

    private void SlowDown() => Victim().SyncMs = Dice.Roll(0.3) ? NodeGroup<TNode>.FastSync : (20, 500);

    private void Transfer()
    {
        var to = Dice.Pick(group.Nodes).Id;
        group.Leader?.Govern(request => new RaftEvent.TransferLeadership(request, to));
    }
}
