using Hexcast.Raft;

namespace Hexcast.Simulation;

/// <summary>What befalls a group of consensus cores.</summary>
internal sealed class RaftGroupFate(RaftGroup group) : Fate<SimNode>(group)
{
    private const int MostNodes = 7;

    private ulong _lastId = (ulong)group.Nodes.Count;

    public int MemberChanges { get; private set; }

    protected override void ChangeMembers()
    {
        if (group.Leader is not { } leader)
        {
            return;
        }
        MemberChanges++;
        var members = leader.Core!.Members;
        switch (Dice.Below(3))
        {
            case 0 when group.Nodes.Count < MostNodes:
                var id = ++_lastId;
                group.Add(id, Members.None);
                leader.Govern(request => new RaftEvent.ChangeMembers(request, MemberChange.AddLearner, id));
                break;
            case 1 when members.Learners.Count > 0:
                var learner = Dice.Pick(members.Learners);
                leader.Govern(request => new RaftEvent.ChangeMembers(request, MemberChange.Promote, learner));
                break;
            case 2 when Removable(members) is { } voter:
                leader.Govern(request => new RaftEvent.ChangeMembers(request, MemberChange.Remove, voter));
                break;
        }
    }
}
