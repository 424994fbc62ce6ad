namespace Hexcast.Raft;

/// <summary>What a follower does with what its leader says (3.5), and how one gets back what its disk has lost.
/// </summary>
internal sealed partial class RaftCore
{
    /// <summary>Up to here the log is known to be that of this term's leader. Commit indexes hold no further: what
    /// lies behind may be an earlier leader's.</summary>
    private ulong _verified;

    /// <summary>
    /// Recovery. This node has lost entries that it may have acknowledged, and with them may be its vote's worth: a
    /// candidate without them could win with it. So it does not vote until its log holds, durably, everything that this
    /// term's leader had when it was asked after the restart. That covers every acknowledgement ever sent from here:
    /// one of an earlier term was either committed, and then this leader has it, or never can be without a vote from
    /// here; one of this term is in its leader's log already. Decision 0013 has the argument whole.
    /// </summary>
    private ulong? _recoveryTarget;
    private readonly ulong _recoveryContext;

    private void OnAppendRequest(RaftMessage.AppendRequest request)
    {
        Follow(request.From);
        if (_installing is not null)
        {
            return;
        }
        if (request.PreviousIndex < _commit)
        {
            // An old one, or a leader that does not know yet how much is here.
            _verified = Math.Max(_verified, _commit);
            SendWhenDurable(request.From, Acceptance(_commit));
            return;
        }
        var holds = _log.Holds(request.PreviousIndex, request.PreviousTerm);
        if (request.PreviousIndex <= _log.LastIndex)
        {
            Planted.Bend(RaftFault.EntrySkipped, ref holds, to: true);
        }
        if (!holds)
        {
            var hint = _log.LastWithTermAtMost(request.PreviousIndex, request.PreviousTerm);
            Send(request.From, Refusal(request.PreviousIndex, hint));
            return;
        }
        foreach (var entry in request.Entries)
        {
            Take(entry);
        }
        var last = request.PreviousIndex + (ulong)request.Entries.Count;
        _verified = Math.Max(_verified, last);
        FollowCommit(request.Commit);
        var mustWait = true;
        Planted.Bend(RaftFault.AppendAnsweredBeforeFsync, ref mustWait, to: false);
        if (mustWait)
        {
            SendWhenDurable(request.From, Acceptance(last));
        }
        else
        {
            Send(request.From, Acceptance(last));
        }
        CheckRecovered();
    }

    private void Take(Entry entry)
    {
        if (entry.Index <= _log.LastIndex)
        {
            var isThere = _log.Holds(entry.Index, entry.Term);
            Planted.Bend(RaftFault.ConflictKept, ref isThere, to: true);
            if (isThere)
            {
                return;
            }
            if (entry.Index <= _commit)
            {
                throw new InvalidOperationException(
                    $"Entry {entry.Term}/{entry.Index} contradicts one that is committed.");
            }
            Truncate(entry.Index);
        }
        Append(entry);
    }

    private void OnHeartbeat(RaftMessage.Heartbeat heartbeat)
    {
        Follow(heartbeat.From);
        if (_installing is null)
        {
            FollowCommit(heartbeat.Commit);
        }
        Send(heartbeat.From, new RaftMessage.HeartbeatResponse(
            Id, Term, heartbeat.Round, IsRecovering, _commit));
        if (IsRecovering && _recoveryTarget is null)
        {
            Send(heartbeat.From, new RaftMessage.RecoveryRequest(Id, Term, _recoveryContext));
        }
    }

    private void FollowCommit(ulong commit)
    {
        var isBounded = true;
        Planted.Bend(RaftFault.FollowerCommitsBeyondWhatItChecked, ref isBounded, to: false);
        CommitTo(Math.Min(commit, isBounded ? _verified : _log.LastIndex));
    }

    private void LogUnreadable(ulong from)
    {
        if (from <= _log.Snapshot.Index || _commit > _log.Snapshot.Index || Role != RaftRole.Follower)
        {
            throw new InvalidOperationException($"Entry {from} is unreadable, and this node has used it already.");
        }
        SetHardState(_hardState with { Recovering = true });
        if (from <= _log.LastIndex)
        {
            _log.TruncateFrom(from);
        }
        // Also where nothing readable lies behind: the disk still holds the rest of it.
        _truncatedFrom = from;
    }

    private void OnRecoveryResponse(RaftMessage.RecoveryResponse response)
    {
        if (IsRecovering && response.Context == _recoveryContext && response.From == _leader)
        {
            _recoveryTarget ??= response.LastIndex;
            CheckRecovered();
        }
    }

    private void CheckRecovered()
    {
        if (IsRecovering && _recoveryTarget <= Math.Min(_verified, _writes.LogIndex))
        {
            SetHardState(_hardState with { Recovering = false });
        }
    }

    private RaftMessage.AppendResponse Acceptance(ulong index) =>
        new(Id, Term, Accepted: true, index, HintIndex: 0, HintTerm: 0, IsRecovering);

    private RaftMessage.AppendResponse Refusal(ulong index, (ulong Index, ulong Term) hint) =>
        new(Id, Term, Accepted: false, index, hint.Index, hint.Term, IsRecovering);
}
