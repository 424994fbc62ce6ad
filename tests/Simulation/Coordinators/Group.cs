using Google.Protobuf;
using Hexcast.Coordination;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Simulation.Coordinators;

/// <summary>A group of coordinators in its world.</summary>
internal sealed class Group : NodeGroup<GroupMember>
{
    private const double DeathInAStep = 0.0004;
    private const double DeathAfterASnapshot = 0.2;

    /// <param name="house">What else runs in each member's process; null: nothing.</param>
    public Group(World world, GroupWeather weather, Func<GroupMember, IResident>? house = null)
        : base(world, weather)
    {
        (Sky, Oracle, House) = (weather, new GroupOracle(world), house);
        var ids = Enumerable.Range(1, weather.Voters).Select(i => (ulong)i).ToList();
        foreach (var id in ids)
        {
            var record = new MemberRecord { Id = id, Founded = ids.Count == 1 };
            if (ids.Count > 1)
            {
                record.HardState = new SavedHardState { Term = 1 };
                record.Members.AddRange(ids.Select(Saved));
            }
            var member = new GroupMember(this, record);
            if (ids.Count > 1)
            {
                Begin(member, Members.Of(ids));
            }
            Add(member);
            member.Boot();
        }
    }

    public GroupWeather Sky { get; }

    public GroupOracle Oracle { get; }

    public Func<GroupMember, IResident>? House { get; }

    public int MemberChanges { get; private set; }

    /// <summary>Whom somebody asks: anybody who is or was a member; once it is calm, nobody who has been removed.
    /// </summary>
    public GroupMember Any()
    {
        var member = World.Dice.Pick(Nodes);
        return World.IsCalm && Leader is { } leader && !leader.Core!.Members.Contains(member.Id) ? leader : member;
    }

    /// <summary>A node that has waited for a place: first where it is reached, then that it is one of them.</summary>
    public void Join()
    {
        var leader = Leader!;
        MemberChanges++;
        var record = new MemberRecord { Id = (ulong)Nodes.Count + 1 };
        record.Members.AddRange(leader.Core!.KnownMembers);
        var member = new GroupMember(this, record);
        Add(member);
        member.Boot();
        leader.Ask(id => new CoordinatorEvent.Propose(id, new Command { MemberPut = Saved(member.Id) }), _ => { });
        leader.Govern(id => new RaftEvent.ChangeMembers(id, MemberChange.AddLearner, member.Id));
    }

    /// <summary>For good: it votes no more, then nobody knows any more where it is reached, and somebody switches it
    /// off.</summary>
    public void Remove(ulong member)
    {
        var leader = Leader!;
        MemberChanges++;
        leader.Ask(
            id => new CoordinatorEvent.ForRaft(new RaftEvent.ChangeMembers(id, MemberChange.Remove, member)),
            answer =>
            {
                if (answer is { Leader: null, Refused: RaftError.None, Outcome.Error: CoordinatorError.None })
                {
                    leader.Ask(
                        id => new CoordinatorEvent.Propose(id, new Command { MemberRemove = member }), _ => { });
                }
            });
        World.After(World.Dice.Between(500, 8_000), () => SwitchOffIfRemoved(Find(member)!));
    }

    /// <summary>It keeps what it has on its disk, and is never started again.</summary>
    public void SwitchOffIfRemoved(GroupMember member)
    {
        if (member.IsUp && Oracle.Removed.Contains(member.Id))
        {
            member.Crash();
        }
    }

    /// <summary>Asked once; the answer is held against the log. Null: refused, or nobody knows. Or it never comes.
    /// </summary>
    public void Propose(GroupMember at, Command command, Action<IMessage?> answered)
    {
        var behind = Oracle.ToldEntries;
        new GroupRequest(
            this, at, id => new CoordinatorEvent.Propose(id, command.Clone()), ofLeader: true, isRepeatable: false,
            outcome => World.After(World.Dice.Between(0.1, 1), () =>
            {
                if (outcome is { } known)
                {
                    Oracle.Answered(command, behind, known);
                }
                answered(outcome?.Response);
            })).Begin();
    }

    /// <summary>As <see cref="Propose"/>: a range, or a transaction that only reads.</summary>
    public void Read(GroupMember at, IMessage request, Action<IMessage?> answered)
    {
        var floor = Oracle.Told;
        new GroupRequest(
            this, at, id => new CoordinatorEvent.Read(id, request), ofLeader: false, isRepeatable: true,
            outcome => World.After(World.Dice.Between(0.1, 1), () =>
            {
                if (outcome?.Response is { } response)
                {
                    Oracle.Read(request, floor, response);
                }
                answered(outcome?.Response);
            })).Begin();
    }

    /// <summary>What a snapshot has replaced is on its way out: there it hurts.</summary>
    public bool DiesInStep(List<CoordinatorEvent> events) => !World.IsCalm && Sky.Crashes && World.Dice.Roll(
        events.Exists(e => e is CoordinatorEvent.SnapshotDone) ? DeathAfterASnapshot : DeathInAStep);

    public override void Restart(GroupMember node)
    {
        if (Oracle.Removed.Contains(node.Id))
        {
            return;
        }
        // One member's disk is bad: what a majority has lost, nobody can give back.
        if (Sky.Damage && !World.IsCalm && World.Dice.Roll(0.3) && node == Nodes[0])
        {
            node.GoBad();
        }
        try
        {
            node.Boot();
        }
        catch (Exception refused) when (node.Disk.IsFull || node.Disk.SyncFails)
        {
            // It says so and does not start: somebody starts it again.
            World.Tell?.Invoke(
                $"{World.Now.TotalMilliseconds,10:0.00}  n{node.Id} does not start: {refused.Message}");
            World.After(World.Dice.Between(50, 300), () =>
            {
                if (!node.IsUp)
                {
                    Restart(node);
                }
            });
        }
    }

    private static SavedMember Saved(ulong id) => new() { Id = id, Node = $"node-{id}", Address = $"node-{id}" };

    /// <summary>The first members' logs begin with who they are.</summary>
    private static void Begin(GroupMember member, Members first)
    {
        using var log = WriteAheadLog.Open(member.Disk, out _);
        log.SetHardState(new HardState(1, Vote: 0));
        log.Append(new Entry(1, 1, EntryKind.Membership, first.Encode()));
        log.TryFlush();
    }
}
