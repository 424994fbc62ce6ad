namespace Hexcast.Raft;

/// <summary>Linearizable reads by ReadIndex (6.4), at the leader and forwarded to it.</summary>
internal sealed partial class RaftCore
{
    private readonly ReadQueue _reads;

    /// <summary>The heartbeat round that goes out with every heartbeat until the next one begins.</summary>
    private ulong _round;
    private bool _readsWanted;

    /// <summary>A read waited in vain for a later commit than this.</summary>
    private ulong? _stuckAt;

    private void Read(long requestId)
    {
        if (_reads.IsFull)
        {
            Refuse(requestId, RaftError.TooManyReads);
        }
        else if (Role == RaftRole.Leader)
        {
            LeadRead(new WaitingRead(From: 0, Context: 0, requestId));
        }
        else if (_leader != 0)
        {
            var context = _nextContext++;
            _reads.AskLeader(context, requestId, _now + _options.ReadTimeout);
            Send(_leader, new RaftMessage.ReadRequest(Id, Term, context));
        }
        else
        {
            Refuse(requestId, RaftError.NotLeader);
        }
    }

    private void OnReadRequest(RaftMessage.ReadRequest request)
    {
        // Where there is no place, or no leader any more, the asker's timeout ends it.
        if (Role == RaftRole.Leader && !_reads.IsFull)
        {
            LeadRead(new WaitingRead(request.From, request.Context, RequestId: 0));
        }
    }

    private void LeadRead(WaitingRead read)
    {
        var isEstablished = IsTermEstablished;
        Planted.Bend(RaftFault.ReadBeforeTheTermIsEstablished, ref isEstablished, to: true);
        if (isEstablished)
        {
            WaitForProof(read);
        }
        else
        {
            _reads.WaitForTerm(read);
        }
    }

    private void WaitForProof(WaitingRead read)
    {
        _readsWanted = true;
        _reads.WaitForProof(_round + 1, _commit, read);
    }

    /// <summary>One round serves all reads of a step.</summary>
    private void StartReadRound()
    {
        _readsWanted = false;
        if (Role != RaftRole.Leader)
        {
            return;
        }
        _round++;
        ProgressOf(Id)?.AnsweredRound(_round);
        BeatHearts();
        AnswerProvenReads();
    }

    private void AnswerProvenReads()
    {
        var proven = Members.Reached(node => ProgressOf(node)?.Round ?? 0);
        var needsProof = true;
        Planted.Bend(RaftFault.ReadWithoutAQuorum, ref needsProof, to: false);
        while (_reads.TryTakeProven(needsProof ? proven : _round, out var index, out var read))
        {
            if (read.From == 0)
            {
                // What is committed here is applied.
                _effects.Add(new RaftEffect.ReadReady(read.RequestId));
            }
            else
            {
                Send(read.From, new RaftMessage.ReadResponse(Id, Term, read.Context, index));
            }
        }
    }

    private void OnReadResponse(RaftMessage.ReadResponse response)
    {
        if (!_reads.TryTakeAsked(response.Context, out var asked))
        {
            return;
        }
        if (response.Index <= _commit)
        {
            _effects.Add(new RaftEffect.ReadReady(asked.RequestId));
        }
        else if (_commit == _stuckAt)
        {
            Refuse(asked.RequestId, RaftError.ReadTimedOut);
        }
        else
        {
            _reads.WaitForApply(response.Index, asked.RequestId, asked.Until);
        }
    }

    /// <summary>What the leader has committed does not come, as to a member whose disk takes nothing any more. That is
    /// found out once, not by each read anew.</summary>
    private void TimeOutReads()
    {
        if (_reads.IsAwaitingEntries(_now))
        {
            _stuckAt = _commit;
        }
        RefuseReads(_reads.TakeLost(_now, leaderChanged: false));
    }

    private void RefuseReads(IReadOnlyList<long> requests)
    {
        foreach (var requestId in requests)
        {
            Refuse(requestId, RaftError.ReadTimedOut);
        }
    }
}
