using Hexcast.Raft;

namespace Hexcast.Simulation;

/// <summary>Strikes now and then, with what the weather allows, and in the end lets the sky clear.</summary>
internal sealed class Fate(Cluster cluster)
{
    private const int MostNodes = 7;

    private readonly World _world = cluster.World;
    private readonly Dice _dice = cluster.World.Dice;
    private readonly Weather _weather = cluster.Weather;
    private ulong _lastId = (ulong)cluster.Nodes.Count;

    public int Strokes { get; private set; }

    public int MemberChanges { get; private set; }

    public void Begin() => _world.After(_dice.Between(0, _weather.StrokeMs), Strike);

    /// <summary>Everything works again, and who was removed is switched off.</summary>
    public void ClearUp()
    {
        cluster.IsCalm = cluster.Network.IsCalm = true;
        cluster.Network.Heal();
        foreach (var node in cluster.Nodes)
        {
            (node.SyncMinimum, node.SyncMaximum) = (TimeSpan.FromMilliseconds(0.2), TimeSpan.FromMilliseconds(4));
            if (!node.IsUp)
            {
                cluster.Restart(node);
            }
            else if (node.IsPaused)
            {
                node.Resume();
            }
        }
    }

    private void Strike()
    {
        if (cluster.IsCalm)
        {
            return;
        }
        Strokes++;
        List<Action> choices = [];
        AddIf(_weather.Partitions, Part, Heal);
        AddIf(_weather.OneWayCuts, CutOneWay, Heal);
        AddIf(_weather.Crashes, CrashOne, CrashOne, CrashMany);
        AddIf(_weather.Pauses, PauseOne);
        AddIf(_weather.SlowDisks, SlowDown);
        AddIf(_weather.Transfers, Transfer);
        AddIf(_weather.MemberChanges, ChangeMembers, ChangeMembers);
        if (choices.Count > 0)
        {
            _dice.Pick(choices)();
        }
        _world.After(_dice.Between(_weather.StrokeMs * 0.2, _weather.StrokeMs * 1.8), Strike);

        void AddIf(bool allowed, params ReadOnlySpan<Action> strokes)
        {
            if (allowed)
            {
                choices.AddRange(strokes);
            }
        }
    }

    /// <summary>The leader, more often than chance would have it: there it hurts.</summary>
    private SimNode Victim() =>
        _dice.Roll(0.4) && cluster.Leader is { } leader ? leader : _dice.Pick(cluster.Nodes);

    private void Heal() => cluster.Network.Heal();

    private void Part()
    {
        var alone = Victim().Id;
        var side = cluster.Nodes.Select(n => n.Id)
            .Where(id => _dice.Roll(0.5) ? id == alone : _dice.Roll(0.5)).ToHashSet();
        foreach (var a in cluster.Nodes)
        {
            foreach (var b in cluster.Nodes.Where(b => side.Contains(a.Id) != side.Contains(b.Id)))
            {
                cluster.Network.Cut(a.Id, b.Id);
            }
        }
    }

    private void CutOneWay()
    {
        var (victim, deaf) = (Victim().Id, _dice.Roll(0.5));
        var one = _dice.Pick(cluster.Nodes).Id;
        foreach (var other in cluster.Nodes.Select(n => n.Id).Where(id => id == one || _dice.Roll(0.7)))
        {
            cluster.Network.Cut(deaf ? other : victim, deaf ? victim : other);
        }
    }

    private void CrashOne() => cluster.CrashFor(Victim());

    private void CrashMany()
    {
        var all = _dice.Roll(0.3);
        foreach (var node in cluster.Nodes.ToList().Where(_ => all || _dice.Roll(0.5)))
        {
            cluster.CrashFor(node);
        }
    }

    private void PauseOne()
    {
        var node = Victim();
        if (node is { IsUp: true, IsPaused: false })
        {
            node.Pause();
            _world.After(_dice.Between(20, _dice.Roll(0.3) ? 3_000 : 500), () =>
            {
                if (node is { IsUp: true, IsPaused: true })
                {
                    node.Resume();
                }
            });
        }
    }

    private void SlowDown()
    {
        var node = Victim();
        (node.SyncMinimum, node.SyncMaximum) = _dice.Roll(0.3)
            ? (TimeSpan.FromMilliseconds(0.2), TimeSpan.FromMilliseconds(4))
            : (TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(500));
    }

    private void Transfer()
    {
        if (cluster.Leader is { } leader)
        {
            var to = _dice.Pick(cluster.Nodes).Id;
            leader.Govern(request => new RaftEvent.TransferLeadership(request, to));
        }
    }

    private void ChangeMembers()
    {
        if (cluster.Leader is not { } leader)
        {
            return;
        }
        MemberChanges++;
        var members = leader.Core!.Members;
        var removable = members.Voters.Count > (_weather.Damage ? 3 : 1);
        switch (_dice.Below(3))
        {
            case 0 when cluster.Nodes.Count < MostNodes:
                var id = ++_lastId;
                cluster.Add(id, Members.None);
                leader.Govern(request => new RaftEvent.ChangeMembers(request, MemberChange.AddLearner, id));
                break;
            case 1 when members.Learners.Count > 0:
                var learner = _dice.Pick(members.Learners);
                leader.Govern(request => new RaftEvent.ChangeMembers(request, MemberChange.Promote, learner));
                break;
            case 2 when removable:
                var voter = _dice.Pick(members.Voters);
                leader.Govern(request => new RaftEvent.ChangeMembers(request, MemberChange.Remove, voter));
                break;
        }
    }
}
