namespace Hexcast.Raft;

/// <summary>What a leader does: 3.5 replication, 3.6.2 commits, 6.2 whether it still leads, 10.2.1 its own disk beside
/// the others'.</summary>
internal sealed partial class RaftCore
{
    /// <summary>One a member, this node included if it is one; empty unless it leads.</summary>
    private readonly List<Progress> _progress = [];

    private TimeSpan _heartbeatAt;

    /// <summary>This process was held up until then, or began to lead; once a silence, or a leader that is always late
    /// never steps down.</summary>
    private TimeSpan _wokeAt;

    /// <summary>Index of this term's first entry: what is committed is known once it is.</summary>
    private ulong _termStartIndex;

    /// <summary>Payload after the commit index.</summary>
    private long _uncommittedBytes;

    /// <summary>The followers have to hear of new entries, or of a new commit index, at the end of this step.</summary>
    private bool _hasEntriesToSend;
    private bool _hasCommitToSend;

    private bool IsTermEstablished => Role == RaftRole.Leader && _commit >= _termStartIndex;

    public IReadOnlyList<Progress> Progresses => _progress;

    private Progress? ProgressOf(ulong node) => _progress.Find(p => p.Node == node);

    private void BecomeLeader()
    {
        SetRole(RaftRole.Leader, Id);
        _progress.AddRange(Members.All.Select(node => new Progress(node, _log.LastIndex + 1, _now)));
        _uncommittedBytes = _log.Slice(_commit + 1, _log.LastIndex).Sum(entry => (long)entry.Payload.Length);
        (_round, _wokeAt) = (0, _now);
        _heartbeatAt = _now + _options.HeartbeatInterval;
        _termStartIndex = _log.LastIndex + 1;
        Lead(EntryKind.TermStart, _termStart);
        AcknowledgeOwn(_writes.LogIndex);
    }

    private void StopLeading()
    {
        _progress.Clear();
        (_hasEntriesToSend, _hasCommitToSend) = (false, false);
        // Whom it went to is known once the next leader is heard.
        _transferUntil = _now + 2 * _options.ElectionTimeoutMaximum;
    }

    private void Propose(long requestId, ReadOnlyMemory<byte> payload)
    {
        if (Role != RaftRole.Leader)
        {
            Refuse(requestId, RaftError.NotLeader);
        }
        else if (_transferTo != 0)
        {
            Refuse(requestId, RaftError.TransferUnderWay);
        }
        else if (payload.Length > _options.MaximumPayloadBytes)
        {
            Refuse(requestId, RaftError.PayloadTooLarge);
        }
        else if (_uncommittedBytes > 0 && _uncommittedBytes + payload.Length > _options.MaximumUncommittedBytes)
        {
            Refuse(requestId, RaftError.TooMuchUncommitted);
        }
        else
        {
            Lead(EntryKind.Command, payload);
            _effects.Add(new RaftEffect.Proposed(requestId, Term, _log.LastIndex));
        }
    }

    private void Lead(EntryKind kind, ReadOnlyMemory<byte> payload)
    {
        Append(new Entry(Term, _log.LastIndex + 1, kind, payload));
        _uncommittedBytes += payload.Length;
        _hasEntriesToSend = true;
        var mustWait = true;
        Planted.Bend(RaftFault.LeaderCountsItselfBeforeFsync, ref mustWait, to: false);
        if (!mustWait)
        {
            AcknowledgeOwn(_log.LastIndex);
        }
    }

    private void WriteRefused()
    {
        var from = _writes.LogIndex + 1;
        // A group that becomes one of one only by what is refused has told others of it: they may hold or commit it.
        var isAlone = Members.Count == 1 && Members.Contains(Id) && _log.MembersIndex < from;
        if (Role != RaftRole.Leader || !isAlone || from > _log.LastIndex)
        {
            _effects.Add(new RaftEffect.WriteAgain());
            return;
        }
        Truncate(from);
        _uncommittedBytes = 0;
        _effects.Add(new RaftEffect.Dropped(from));
        if (from <= _termStartIndex)
        {
            // A term without its first entry cannot be led.
            BecomeFollower(Term, leader: 0);
        }
    }

    private void TickLeader()
    {
        if (_now < _heartbeatAt)
        {
            return;
        }
        // Where a whole machine stands still, what the others said meanwhile has yet to arrive, and so has this beat.
        if (IsHeldUp(due: _heartbeatAt) && HasHeardQuorumSince(_wokeAt))
        {
            _wokeAt = _now;
        }
        if (!HasHeardQuorumSince(_now - _options.ElectionTimeoutMaximum - _patience)
            && _now - _wokeAt > _options.ElectionTimeoutMinimum + _patience)
        {
            BecomeFollower(Term, leader: 0);
            return;
        }
        BeatHearts();
    }

    private bool HasHeardQuorumSince(TimeSpan time) => Members.Voters.Count(voter => voter == Id
        || (ProgressOf(voter) is { } progress && progress.LastHeard >= time)) >= Members.Quorum;

    private void BeatHearts()
    {
        _heartbeatAt = _now + _options.HeartbeatInterval;
        foreach (var progress in _progress.Where(p => p.Node != Id))
        {
            Send(progress.Node, new RaftMessage.Heartbeat(Id, Term, _commit, _round));
        }
    }

    private void SendNews()
    {
        if (_readsWanted)
        {
            StartReadRound();
        }
        if (!_hasEntriesToSend && !_hasCommitToSend)
        {
            return;
        }
        var hasCommit = _hasCommitToSend;
        (_hasEntriesToSend, _hasCommitToSend) = (false, false);
        foreach (var progress in _progress.Where(p => p.Node != Id))
        {
            SendEntries(progress, evenIfNone: hasCommit);
        }
    }

    /// <param name="evenIfNone">Send one without entries: it carries the commit index, and finds out whether what was
    /// sent has arrived.</param>
    private void SendEntries(Progress progress, bool evenIfNone)
    {
        while (progress.State != ProgressState.Snapshot && !progress.IsProbeSent)
        {
            var previous = progress.Next - 1;
            if (!_log.TryTermAt(previous, out var previousTerm))
            {
                progress.BeginSnapshot(_log.Snapshot);
                AskForChunk(progress, 0);
                return;
            }
            var entries = progress.IsFull(_options)
                ? []
                : _log.Slice(progress.Next, _options.MaximumMessageEntries, _options.MaximumMessageBytes);
            if (entries.Length == 0 && !evenIfNone)
            {
                return;
            }
            Send(progress.Node, new RaftMessage.AppendRequest(Id, Term, previous, previousTerm, entries, _commit));
            progress.Sent(previous + (ulong)entries.Length, entries.Sum(entry => entry.Payload.Length));
            evenIfNone = false;
            if (entries.Length == 0)
            {
                return;
            }
        }
    }

    private void OnAppendResponse(RaftMessage.AppendResponse response, Progress progress)
    {
        LearnPatience(_now - progress.LastHeard);
        progress.Heard(_now, response.Recovering);
        if (!response.Accepted)
        {
            // Both ends step over whole terms: where theirs is behind, the entry before it can be far behind ours too.
            var meeting = _log.LastWithTermAtMost(response.HintIndex, response.HintTerm).Index;
            if (progress.Refused(response.Index, meeting))
            {
                SendEntries(progress, evenIfNone: true);
            }
            return;
        }
        if (progress.Accepted(response.Index))
        {
            AdvanceCommit();
        }
        // The commit may have been of its own removal.
        if (Role == RaftRole.Leader)
        {
            SendEntries(progress, evenIfNone: false);
            ContinueTransfer(progress);
        }
    }

    private void OnHeartbeatResponse(RaftMessage.HeartbeatResponse response, Progress progress)
    {
        LearnPatience(_now - progress.LastHeard);
        progress.Heard(_now, response.Recovering);
        progress.AnsweredRound(response.Round);
        AnswerProvenReads();
        progress.IsProbeSent = false;
        if (progress.State == ProgressState.Snapshot)
        {
            RepeatChunk(progress);
        }
        else if (progress.Match < _log.LastIndex || response.Commit < _commit)
        {
            SendEntries(progress, evenIfNone: true);
        }
    }

    private void AcknowledgeOwn(ulong index)
    {
        if (ProgressOf(Id) is { } own && own.Accepted(index))
        {
            AdvanceCommit();
        }
    }

    private void AdvanceCommit()
    {
        var reached = Members.Reached(node =>
            ProgressOf(node) is { IsRecovering: false } progress ? progress.Match : 0);
        // An entry of an older term is committed by one of this term behind it, never by counting (3.6.2).
        var isOfThisTerm = _log.Holds(reached, Term);
        Planted.Bend(RaftFault.CommitsAnOlderTermsEntry, ref isOfThisTerm, to: true);
        if (reached > _commit && isOfThisTerm)
        {
            LeadCommitTo(reached);
        }
    }

    private void LeadCommitTo(ulong index)
    {
        var wasEstablished = IsTermEstablished;
        _uncommittedBytes -= _log.Slice(_commit + 1, index).Sum(entry => (long)entry.Payload.Length);
        CommitTo(index);
        _hasCommitToSend = true;
        if (!wasEstablished && IsTermEstablished)
        {
            foreach (var read in _reads.TakeBeforeTerm())
            {
                WaitForProof(read);
            }
        }
        if (!Members.Contains(Id) && _commit >= _log.MembersIndex)
        {
            LeaveGroup();
        }
    }
}
