namespace Hexcast.Raft;

/// <summary>Who belongs to the group (4, one change at a time) and who hands the leadership to whom (3.10).</summary>
internal sealed partial class RaftCore
{
    private ulong _transferTo;
    private long _transferRequest;
    private TimeSpan _transferUntil;

    private void ChangeMembers(long requestId, MemberChange change, ulong node)
    {
        var error = Role != RaftRole.Leader ? RaftError.NotLeader
            : _transferTo != 0 ? RaftError.TransferUnderWay
            // Until then a change of the term before may be half done, and two at once need not overlap.
            : !IsTermEstablished ? RaftError.TermNotEstablished
            : ChangeIsUnderWay() ? RaftError.ChangeUnderWay
            : Check(change, node);
        if (error != RaftError.None)
        {
            Refuse(requestId, error);
            return;
        }
        var members = change switch
        {
            MemberChange.AddLearner => Members.WithLearner(node),
            MemberChange.Promote => Members.WithVoter(node),
            _ => Members.Without(node),
        };
        Lead(EntryKind.Membership, members.Encode());
        _effects.Add(new RaftEffect.Proposed(requestId, Term, _log.LastIndex));
        FollowMembers();
    }

    private bool ChangeIsUnderWay()
    {
        var isUnderWay = _log.MembersIndex > _commit;
        Planted.Bend(RaftFault.TwoChangesAtOnce, ref isUnderWay, to: false);
        return isUnderWay;
    }

    private RaftError Check(MemberChange change, ulong node) => change switch
    {
        MemberChange.AddLearner when Members.Contains(node) => RaftError.AlreadyMember,
        MemberChange.AddLearner when Members.Count >= Members.MaximumMembers => RaftError.TooManyMembers,
        MemberChange.Promote when !Members.IsLearner(node) => RaftError.NotLearner,
        MemberChange.Promote when !IsCaughtUp(node) => RaftError.LearnerBehind,
        MemberChange.Remove when !Members.Contains(node) => RaftError.NotMember,
        MemberChange.Remove when Members.IsVoter(node) && Members.Voters.Count == 1 => RaftError.LastVoter,
        MemberChange.Remove when !HasQuorumWithout(node) => RaftError.QuorumAtRisk,
        _ => RaftError.None,
    };

    private bool IsCaughtUp(ulong node) =>
        ProgressOf(node) is { IsRecovering: false, State: ProgressState.Replicate } progress
        && progress.Match + (ulong)_options.PromotionLagEntries >= _log.LastIndex
        && _now - progress.LastHeard <= _options.ElectionTimeoutMaximum;

    /// <summary>A group that shrinks to voters that are away, or that still fetch what they lost and do not vote, could
    /// be left without a leader for good.</summary>
    private bool HasQuorumWithout(ulong node)
    {
        var left = Members.Without(node);
        return left.Voters.Count(voter => voter == Id || (ProgressOf(voter) is { IsRecovering: false } progress
            && _now - progress.LastHeard <= _options.ElectionTimeoutMaximum)) >= left.Quorum;
    }

    private void FollowMembers()
    {
        _progress.RemoveAll(progress => !Members.Contains(progress.Node));
        foreach (var node in Members.All.Where(node => ProgressOf(node) is null))
        {
            _progress.Add(new Progress(node, _log.LastIndex + 1, _now));
        }
        if (_transferTo != 0 && !Members.IsVoter(_transferTo))
        {
            EndTransfer(isDone: false);
        }
        // Fewer voters need fewer acknowledgements.
        AdvanceCommit();
    }

    /// <summary>Its removal is committed: it hands over to whoever has most, so that nobody waits (4.2.2).
    /// </summary>
    private void LeaveGroup()
    {
        if (_progress.Where(p => Members.IsVoter(p.Node)).MaxBy(p => p.Match) is { } next)
        {
            Send(next.Node, new RaftMessage.TimeoutNow(Id, Term));
        }
        BecomeFollower(Term, leader: 0);
    }

    private void TransferLeadership(RaftEvent.TransferLeadership asked)
    {
        var (requestId, to) = (asked.RequestId, asked.To);
        if (asked.OfTerm != 0 && (Role != RaftRole.Leader || asked.OfTerm != Term))
        {
            // What was asked for has come about. Passed on to the next leader, it would move the leadership once more.
            Refuse(requestId, RaftError.LeadsNoMore);
        }
        else if (Role != RaftRole.Leader)
        {
            Refuse(requestId, RaftError.NotLeader);
        }
        else if (_transferTo != 0)
        {
            Refuse(requestId, RaftError.TransferUnderWay);
        }
        else if (!Members.IsVoter(to))
        {
            Refuse(requestId, RaftError.NotMember);
        }
        else if (to == Id)
        {
            _effects.Add(new RaftEffect.Transferred(requestId));
        }
        else
        {
            (_transferTo, _transferRequest) = (to, requestId);
            _transferUntil = _now + _options.ElectionTimeoutMaximum;
            ContinueTransfer(ProgressOf(to)!);
        }
    }

    /// <summary>Proposals are refused meanwhile, so the one that is to lead soon has everything.</summary>
    private void ContinueTransfer(Progress progress)
    {
        if (_transferTo != progress.Node)
        {
            return;
        }
        var isCaughtUp = progress.Match == _log.LastIndex;
        if (isCaughtUp)
        {
            Send(progress.Node, new RaftMessage.TimeoutNow(Id, Term));
        }
    }

    private void EndTransfer(bool isDone)
    {
        if (_transferTo == 0)
        {
            return;
        }
        _transferTo = 0;
        _effects.Add(isDone
            ? new RaftEffect.Transferred(_transferRequest)
            : new RaftEffect.Refused(_transferRequest, RaftError.TransferTimedOut, 0));
    }
}
