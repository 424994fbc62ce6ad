namespace Hexcast.Raft;

/// <summary>What one process of a node is given.</summary>
/// <param name="Id">Not 0, and never used again after its node was removed.</param>
/// <param name="Seed">Different in each process that runs as this node.</param>
/// <param name="TermStart">Payload of the first entry of each term that this node leads.</param>
internal sealed record RaftSetup(ulong Id, RaftOptions Options, ulong Seed, ReadOnlyMemory<byte> TermStart);

/// <summary>
/// One member of a Raft group as a state machine, <c>Step(event, now) → effects</c>. Sections are those of Ongaro's
/// dissertation.
///
///   Propose ─(1)→ log ─(2)→ Send AppendRequest …            and at the same time
///                  └──(3)→ Persist ─ shell ─ Persisted ─(4)→ own acknowledgement
///   AppendRequest ─(5)→ log ─ Persist ─ shell ─ Persisted ─(6)→ Send AppendResponse
///   AppendResponse, own acknowledgement ─(7)→ a majority has it, and it is of this term ─(8)→ Apply
///
/// Nothing that promises anything (a vote, an acknowledgement, a candidacy) leaves before what it promises is durable:
/// such messages are held at (6) until the shell has reported the write. Heartbeats and refusals promise nothing.
/// </summary>
internal sealed partial class RaftCore
{
    private readonly RaftOptions _options;
    private readonly ReadOnlyMemory<byte> _termStart;
    private readonly RaftLog _log;
    private readonly DurableWrites _writes;
    private readonly List<(ulong To, RaftMessage Message)> _toHold = [];

    private TimeSpan _now;
    private List<RaftEffect> _effects = [];
    private ulong _jitter;
    private ulong _nextContext;

    /// <summary>Handed to the disk at the end of each step, if it changed in it.</summary>
    private HardState _hardState;
    private bool _hardStateChanged;
    private ulong _truncatedFrom;
    private ulong _appendedFrom;

    /// <summary>Whom this node takes for the leader of its term; 0 is nobody.</summary>
    private ulong _leader;

    /// <summary>Committed, and handed out by Apply: at most the log's end, never less than before.</summary>
    private ulong _commit;

    private TimeSpan _electionAt;

    public RaftCore(RaftSetup setup, Recovered recovered, TimeSpan now)
    {
        if (setup.Options.Fault() is { } fault)
        {
            throw new ArgumentException(fault, nameof(setup));
        }
        (Id, _options, _termStart) = (setup.Id, setup.Options, setup.TermStart);
        _jitter = setup.Seed;
        _nextContext = NextNumber();
        _recoveryContext = _nextContext++;
        _hardState = recovered.HardState;
        var (remembersVote, remembersLoss) = (true, true);
        Planted.Bend(RaftFault.VoteForgottenAtRestart, ref remembersVote, to: false);
        Planted.Bend(RaftFault.RecoveryForgottenAtRestart, ref remembersLoss, to: false);
        _hardState = remembersVote ? _hardState : _hardState with { Vote = 0 };
        _hardState = remembersLoss ? _hardState : _hardState with { Recovering = false };
        _log = new RaftLog(recovered.Snapshot, recovered.Entries);
        _writes = new DurableWrites(_log.LastIndex, _options.MaximumHeldMessages);
        _reads = new ReadQueue(_options.MaximumWaitingReads);
        _commit = recovered.Snapshot.Index;
        _now = now;
        RestartElectionTimer();
        if (CanCampaign && Members.Voters.Count == 1)
        {
            // There is nobody to wait for.
            _electionAt = now;
        }
    }

    public ulong Id { get; }

    public RaftRole Role { get; private set; }

    public ulong Term => _hardState.Term;

    public ulong Leader => _leader;

    public ulong Commit => _commit;

    public RaftLog Log => _log;

    public Members Members => _log.Members;

    public bool IsRecovering => _hardState.Recovering;

    /// <summary>The log is on this node's disk up to here.</summary>
    public ulong DurableIndex => _writes.LogIndex;

    /// <summary>A tick is due then.</summary>
    public TimeSpan Deadline
    {
        get
        {
            var own = Role == RaftRole.Leader ? _heartbeatAt : _electionAt;
            return own < _reads.Deadline ? own : _reads.Deadline;
        }
    }

    /// <param name="now">Of a monotonic clock; not less than in the step before.</param>
    /// <param name="effects">Those of this step are added at its end.</param>
    public void Step(RaftEvent happened, TimeSpan now, List<RaftEffect> effects)
    {
        (_now, _effects) = (now, effects);
        Handle(happened);
        Flush();
    }

    /// <summary>Several at once: what they append goes out in one message a follower and in one write.</summary>
    public void Step(IEnumerable<RaftEvent> happened, TimeSpan now, List<RaftEffect> effects)
    {
        (_now, _effects) = (now, effects);
        foreach (var one in happened)
        {
            Handle(one);
        }
        Flush();
    }

    private void Handle(RaftEvent happened)
    {
        switch (happened)
        {
            case RaftEvent.Tick:
                Tick();
                break;
            case RaftEvent.Received received:
                Receive(received.Message);
                break;
            case RaftEvent.MemberGone gone when Role == RaftRole.Follower && gone.Node == _leader:
                MissLeader();
                break;
            case RaftEvent.Persisted persisted:
                Persisted(persisted.Sequence);
                break;
            case RaftEvent.WriteRefused:
                WriteRefused();
                break;
            case RaftEvent.Propose propose:
                Propose(propose.RequestId, propose.Payload);
                break;
            case RaftEvent.Read read:
                Read(read.RequestId);
                break;
            case RaftEvent.ChangeMembers change:
                ChangeMembers(change.RequestId, change.Change, change.Node);
                break;
            case RaftEvent.TransferLeadership transfer:
                TransferLeadership(transfer);
                break;
            case RaftEvent.SnapshotSaved saved:
                SnapshotSaved(saved.Index);
                break;
            case RaftEvent.SnapshotChunkRead read:
                SnapshotChunkRead(read);
                break;
            case RaftEvent.SnapshotChunkStored stored:
                SnapshotChunkStored(stored);
                break;
            case RaftEvent.SnapshotInstalled installed:
                SnapshotInstalled(installed.Index);
                break;
            case RaftEvent.LogUnreadable unreadable:
                LogUnreadable(unreadable.From);
                break;
        }
    }

    private void Receive(RaftMessage message)
    {
        if (message.Term > Term && !MeetNewTerm(message))
        {
            return;
        }
        if (message.Term < Term)
        {
            AnswerOldTerm(message);
            return;
        }
        switch (message)
        {
            case RaftMessage.VoteRequest request:
                OnVoteRequest(request);
                break;
            case RaftMessage.VoteResponse response:
                OnVoteResponse(response);
                break;
            case RaftMessage.AppendRequest request:
                OnAppendRequest(request);
                break;
            case RaftMessage.AppendResponse response when ProgressOf(response.From) is { } progress:
                OnAppendResponse(response, progress);
                break;
            case RaftMessage.Heartbeat heartbeat:
                OnHeartbeat(heartbeat);
                break;
            case RaftMessage.HeartbeatResponse response when ProgressOf(response.From) is { } progress:
                OnHeartbeatResponse(response, progress);
                break;
            case RaftMessage.InstallSnapshot install:
                OnInstallSnapshot(install);
                break;
            case RaftMessage.InstallSnapshotResponse response when ProgressOf(response.From) is { } progress:
                OnInstallSnapshotResponse(response, progress);
                break;
            case RaftMessage.ReadRequest request:
                OnReadRequest(request);
                break;
            case RaftMessage.ReadResponse response:
                OnReadResponse(response);
                break;
            case RaftMessage.RecoveryRequest request when Role == RaftRole.Leader:
                Send(request.From, new RaftMessage.RecoveryResponse(Id, Term, request.Context, _log.LastIndex));
                break;
            case RaftMessage.RecoveryResponse response:
                OnRecoveryResponse(response);
                break;
            case RaftMessage.TimeoutNow when Role == RaftRole.Follower && CanCampaign:
                Campaign(isTransfer: true);
                break;
        }
    }

    private void Tick()
    {
        TimeOutReads();
        if (_transferTo != 0 && _now >= _transferUntil)
        {
            EndTransfer(isDone: false);
        }
        if (Role == RaftRole.Leader)
        {
            TickLeader();
        }
        else if (_now >= _electionAt && !WasHeldUp())
        {
            OnElectionTimeout();
        }
    }

    private void Persisted(ulong sequence)
    {
        _writes.Persisted(sequence);
        CheckRecovered();
        if (Role == RaftRole.Leader)
        {
            AcknowledgeOwn(_writes.LogIndex);
        }
    }

    /// <summary>Hands out what the step has changed, then whatever waits for nothing any more.</summary>
    private void Flush()
    {
        do
        {
            SendNews();
            HandToDisk();
        }
        while (ReleaseHeld());
    }

    private void HandToDisk()
    {
        if (_hardStateChanged || _truncatedFrom > 0 || _appendedFrom > 0)
        {
            var entries = _appendedFrom > 0 ? _log.Slice(_appendedFrom, _log.LastIndex) : [];
            var sequence = _writes.Issue(_truncatedFrom, _log.LastIndex);
            _effects.Add(new RaftEffect.Persist(
                sequence, _hardStateChanged ? _hardState : null, _truncatedFrom, entries));
            (_hardStateChanged, _truncatedFrom, _appendedFrom) = (false, 0, 0);
        }
        foreach (var (to, message) in _toHold)
        {
            _writes.Hold(to, message);
        }
        _toHold.Clear();
    }

    /// <returns>True if one was to this node itself: it may have changed something again.</returns>
    private bool ReleaseHeld()
    {
        var wasOwn = false;
        while (_writes.TryRelease(out var to, out var message))
        {
            if (message is RaftMessage.VoteResponse { Granted: true })
            {
                // The time for the others' answers, or for the new leader's first beat, begins now.
                RestartElectionTimer(longer: to == Id ? OwnVoteTook : _patience);
            }
            if (to == Id)
            {
                wasOwn = true;
                Receive(message);
                continue;
            }
            Send(to, message);
        }
        return wasOwn;
    }

    private void SetHardState(HardState hardState)
    {
        _hardStateChanged |= hardState != _hardState;
        _hardState = hardState;
    }

    private void Append(Entry entry)
    {
        _log.Append(entry);
        _appendedFrom = _appendedFrom == 0 ? entry.Index : Math.Min(_appendedFrom, entry.Index);
    }

    private void Truncate(ulong from)
    {
        _log.TruncateFrom(from);
        _truncatedFrom = _truncatedFrom == 0 ? from : Math.Min(_truncatedFrom, from);
        _appendedFrom = _appendedFrom >= from ? 0 : _appendedFrom;
    }

    private void CommitTo(ulong index)
    {
        if (index <= _commit)
        {
            return;
        }
        _effects.Add(new RaftEffect.Apply(_log.Slice(_commit + 1, index)));
        _commit = index;
        AnswerAppliedReads();
    }

    private void AnswerAppliedReads()
    {
        while (_reads.TryTakeApplied(_commit, out var requestId))
        {
            _effects.Add(new RaftEffect.ReadReady(requestId));
        }
    }

    private void Send(ulong to, RaftMessage message) => _effects.Add(new RaftEffect.Send(to, message));

    /// <summary>Sends it when all that this node knows now is durable.</summary>
    private void SendWhenDurable(ulong to, RaftMessage message) => _toHold.Add((to, message));

    private void Refuse(long requestId, RaftError error) =>
        _effects.Add(new RaftEffect.Refused(requestId, error, Role == RaftRole.Leader ? 0 : _leader));

    private void RestartElectionTimer(TimeSpan longer = default)
    {
        var spread = (ulong)(_options.ElectionTimeoutMaximum - _options.ElectionTimeoutMinimum).Ticks;
        _electionAt = _now + _options.ElectionTimeoutMinimum + longer
            + TimeSpan.FromTicks((long)(NextNumber() % spread));
    }

    /// <summary>SplitMix64: all the chance there is in here, and it follows from the seed.</summary>
    private ulong NextNumber()
    {
        _jitter += 0x9E3779B97F4A7C15;
        var z = _jitter;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
