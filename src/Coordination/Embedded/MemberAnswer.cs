using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>What a request came to at this member.</summary>
/// <param name="Leader">Not done here: that member leads, or none that is known (0).</param>
/// <param name="Refused">A change of members or of the leader that cannot be.</param>
internal readonly record struct MemberAnswer(Outcome Outcome, ulong? Leader = null, RaftError Refused = RaftError.None)
{
    public bool IsStopped => Outcome.Error == CoordinatorError.Stopped;
}

/// <summary>How a member sees its group.</summary>
/// <param name="Leader">0 while none is known.</param>
/// <param name="IsLeaderless">None was for longer than an election takes.</param>
/// <param name="Known">Where each member is reached.</param>
/// <param name="Matches">On the leader: how much of its log each member has.</param>
/// <param name="IsSoughtElsewhere">It has to tell the others where it is.</param>
internal sealed record Standing(
    ulong Term,
    ulong Leader,
    bool IsLeaderless,
    Members Members,
    IReadOnlyList<SavedMember> Known,
    IReadOnlyDictionary<ulong, ulong> Matches,
    bool IsSoughtElsewhere);
