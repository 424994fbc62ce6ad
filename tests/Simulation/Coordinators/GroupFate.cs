using Hexcast.Coordination.Embedded;
using Hexcast.Raft;

namespace Hexcast.Simulation.Coordinators;

/// <summary>Strikes now and then, with what the weather allows, and in the end lets the sky clear.</summary>
internal sealed class GroupFate(Group group)
{
    private readonly World _world = group.World;
    private readonly Dice _dice = group.World.Dice;
    private readonly GroupWeather _weather = group.Weather;
    private int _joined;

    public void Begin() => _world.After(_dice.Between(0, _weather.StrokeMs), Strike);

    public void ClearUp()
    {
        group.IsCalm = true;
        group.Lines.Heal();
        foreach (var member in group.Members)
        {
            Mend(member);
            if (!member.IsUp)
            {
                group.Restart(member);
            }
            else if (member.IsPaused)
            {
                member.Resume();
            }
        }
    }

    private static void Mend(GroupMember member)
    {
        member.SyncMs = (0.2, 4);
        member.Disk.IsFull = member.Disk.SyncFails = false;
    }

    private void Strike()
    {
        if (group.IsCalm)
        {
            return;
        }
        List<Action> choices = [];
        AddIf(_weather.Partitions, Part, CutOneWay, group.Lines.Heal, group.Lines.Heal);
        AddIf(_weather.Crashes, () => group.CrashFor(Victim()), () => group.CrashFor(Victim()), CrashMany);
        AddIf(_weather.Pauses, PauseOne);
        AddIf(_weather.SlowDisks, SlowDown);
        AddIf(_weather.FullDisks, Fill);
        AddIf(_weather.FailedSyncs, FailSync);
        AddIf(_weather.Transfers, Transfer);
        AddIf(_joined < _weather.Joins, Join);
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
    private GroupMember Victim() =>
        _dice.Roll(0.4) && group.Leader is { } leader ? leader : _dice.Pick(group.Members);

    private void Part()
    {
        var alone = Victim().Id;
        var side = group.Members.Select(m => m.Id)
            .Where(id => _dice.Roll(0.5) ? id == alone : _dice.Roll(0.5)).ToHashSet();
        foreach (var a in group.Members)
        {
            foreach (var b in group.Members.Where(b => side.Contains(a.Id) != side.Contains(b.Id)))
            {
                group.Lines.Cut(a.Id, b.Id);
            }
        }
    }

    private void CutOneWay()
    {
        var (victim, deaf) = (Victim().Id, _dice.Roll(0.5));
        foreach (var other in group.Members.Select(m => m.Id).Where(_ => _dice.Roll(0.7)))
        {
            group.Lines.Cut(deaf ? other : victim, deaf ? victim : other);
        }
    }

    private void CrashMany()
    {
        var all = _dice.Roll(0.3);
        foreach (var member in group.Members.Where(_ => all || _dice.Roll(0.5)).ToList())
        {
            group.CrashFor(member);
        }
    }

    private void PauseOne()
    {
        var member = Victim();
        if (member is { IsUp: true, IsPaused: false })
        {
            member.Pause();
            _world.After(_dice.Between(20, _dice.Roll(0.3) ? 3_000 : 500), () =>
            {
                if (member is { IsUp: true, IsPaused: true })
                {
                    member.Resume();
                }
            });
        }
    }

    private void SlowDown() => Victim().SyncMs = _dice.Roll(0.3) ? (0.2, 4) : (20, 500);

    private void Fill()
    {
        var member = Victim();
        member.Disk.IsFull = true;
        _world.After(_dice.Between(50, 1_500), () => member.Disk.IsFull = false);
    }

    private void FailSync()
    {
        var member = Victim();
        member.Disk.SyncFails = true;
        _world.After(_dice.Between(5, 100), () => member.Disk.SyncFails = false);
    }

    private void Transfer()
    {
        if (group.Leader is { } leader)
        {
            var to = _dice.Pick(group.Members).Id;
            leader.Ask(id => new CoordinatorEvent.ForRaft(new RaftEvent.TransferLeadership(id, to)), _ => { });
        }
    }

    private void Join()
    {
        _joined++;
        group.Join();
    }
}
