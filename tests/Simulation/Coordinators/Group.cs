using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Simulation.Coordinators;

/// <summary>A group of coordinators in its world.</summary>
internal sealed class Group
{
    private const double DeathInAStep = 0.0004;

    private readonly Dictionary<ulong, GroupMember> _members = [];

    public Group(World world, GroupWeather weather)
    {
        (World, Weather) = (world, weather);
        Oracle = new GroupOracle(world);
        Lines = new GroupLines(this);
        var ids = Enumerable.Range(1, weather.Voters).Select(i => (ulong)i).ToList();
        foreach (var id in ids)
        {
            var record = new MemberRecord { Id = id, Founded = ids.Count == 1 };
            if (ids.Count > 1)
            {
                record.HardState = new SavedHardState { Term = 1 };
                record.Members.AddRange(ids.Select(Saved));
            }
            var member = Add(record);
            if (ids.Count > 1)
            {
                Begin(member, Hexcast.Raft.Members.Of(ids));
            }
            member.Boot();
        }
    }

    public World World { get; }

    public GroupWeather Weather { get; }

    public GroupOracle Oracle { get; }

    public GroupLines Lines { get; }

    public List<GroupMember> Members { get; } = [];

    public bool IsCalm { get; set; }

    public int Crashes { get; private set; }

    public int Damages { get; set; }

    public int Snapshots { get; set; }

    public int Installs { get; set; }

    public GroupMember? Leader => Members.Where(m => m.Core?.IsLeader == true).MaxBy(m => m.Core!.Term);

    /// <summary>Of whoever leads, as soon as everything before its term is applied there.</summary>
    public Action<GroupMember>? Began { get; set; }

    public GroupMember? Find(ulong id) => _members.GetValueOrDefault(id);

    public void TermBegan(GroupMember member) => Began?.Invoke(member);

    /// <summary>A node that has been let in; the group will hear of it.</summary>
    public void Join()
    {
        if (Leader is not { } leader)
        {
            return;
        }
        var record = new MemberRecord { Id = (ulong)Members.Count + 1 };
        record.Members.AddRange(leader.Core!.KnownMembers);
        var member = Add(record);
        member.Boot();
        leader.Ask(id => new CoordinatorEvent.Propose(id, new Command { MemberPut = Saved(member.Id) }), _ => { });
        leader.Ask(
            id => new CoordinatorEvent.ForRaft(
                new RaftEvent.ChangeMembers(id, MemberChange.AddLearner, member.Id)), _ => { });
    }

    public bool DiesInStep() => !IsCalm && Weather.Crashes && World.Dice.Roll(DeathInAStep);

    public void CrashFor(GroupMember member)
    {
        if (!member.IsUp)
        {
            return;
        }
        Crashes++;
        member.Crash(losesPower: World.Dice.Roll(0.6));
        World.After(World.Dice.Between(5, World.Dice.Roll(0.3) ? 2_500 : 300), () => Restart(member));
    }

    public void Restart(GroupMember member)
    {
        if (member.IsUp)
        {
            return;
        }
        // One member's disk is bad: what a majority has lost, nobody can give back.
        if (Weather.Damage && !IsCalm && World.Dice.Roll(0.3) && member == Members[0])
        {
            member.GoBad();
        }
        try
        {
            member.Boot();
        }
        catch (Exception refused) when (member.Disk.IsFull || member.Disk.SyncFails)
        {
            // It says so and does not start: somebody starts it again.
            World.Tell?.Invoke(
                $"{World.Now.TotalMilliseconds,10:0.00}  n{member.Id} does not start: {refused.Message}");
            World.After(World.Dice.Between(50, 300), () => Restart(member));
        }
    }

    private static SavedMember Saved(ulong id) => new() { Id = id, Node = $"node-{id}", Address = $"node-{id}" };

    private GroupMember Add(MemberRecord record)
    {
        var member = new GroupMember(this, record.Id, record);
        Members.Add(member);
        _members.Add(record.Id, member);
        return member;
    }

    /// <summary>The first members' logs begin with who they are.</summary>
    private static void Begin(GroupMember member, Members first)
    {
        using var log = WriteAheadLog.Open(member.Disk, out _);
        log.SetHardState(new HardState(1, Vote: 0));
        log.Append(new Entry(1, 1, EntryKind.Membership, first.Encode()));
        log.TryFlush();
    }
}
