namespace Hexcast.Simulation.Coordinators;

/// <summary>What befalls a group of coordinators.</summary>
internal sealed class GroupFate(Group group) : Fate<GroupMember>(group)
{
    private const int MostMembers = 9;

    private static readonly TimeSpan LateChanges = TimeSpan.FromSeconds(5);

    /// <summary>A change of members from before may still be on its way.</summary>
    public override void ClearUp()
    {
        base.ClearUp();
        World.After(LateChanges, () => group.Nodes.ForEach(group.SwitchOffIfRemoved));
    }

    protected override Strokes Add(Strokes strokes) => strokes
        .If(group.Sky.FullDisks, Fill)
        .If(group.Sky.FailedSyncs, FailSync);

    protected override void Mend(GroupMember node)
    {
        base.Mend(node);
        node.Disk.IsFull = node.Disk.SyncFails = false;
    }

    /// <summary>A member goes for good, or a node that has waited for a place takes one.</summary>
    protected override void ChangeMembers()
    {
        if (group.Leader?.Core is not { } leader)
        {
            return;
        }
        var hasPlace = leader.Members.Count < group.Sky.Limits.Voters && group.Nodes.Count < MostMembers;
        if (hasPlace && Dice.Roll(0.8))
        {
            group.Join();
        }
        else if (Removable(leader.Members) is { } voter)
        {
            group.Remove(voter);
        }
    }

    private void Fill()
    {
        var disk = Victim().Disk;
        disk.IsFull = true;
        World.After(Dice.Between(50, 1_500), () => disk.IsFull = false);
    }

    private void FailSync()
    {
        var disk = Victim().Disk;
        disk.SyncFails = true;
        World.After(Dice.Between(5, 100), () => disk.SyncFails = false);
    }
}
