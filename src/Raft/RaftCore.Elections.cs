namespace Hexcast.Raft;

/// <summary>Who leads: 3.4 elections, 3.6 which log may win, 6.4.1 and 9.6 who may disturb.</summary>
internal sealed partial class RaftCore
{
    /// <summary>In this time most of what was learnt of lateness is forgotten.</summary>
    private static readonly TimeSpan PatienceFades = TimeSpan.FromSeconds(10);

    private readonly Dictionary<ulong, bool> _votes = [];
    private TimeSpan _leaderHeardAt;

    /// <summary>How late the leader's beats came lately, at most; on the leader, the answers to them. On machines that
    /// are busy both ends of a line are late, and a time that is enough on idle ones elects somebody again and again.
    /// </summary>
    private TimeSpan _patience;

    /// <summary>This silence has been given more time.</summary>
    private bool _hasWaitedLonger;
    private ulong _announcedTerm;
    private TimeSpan _stoodAt;

    /// <summary>Also who is removed stands until it knows that to be committed: nobody else may have the entry, and
    /// whoever lacks it is not elected without this vote (4.2.2). After a restart it knows of no commit.</summary>
    private bool CanCampaign =>
        !IsRecovering && _installing is null && _log.IsVoterSince(_commit, Id);

    /// <summary>While this holds, whoever wants to be elected has a broken line and not a dead leader.</summary>
    private bool IsLeaderHeard => Role == RaftRole.Leader
        || (_leader != 0 && _now - _leaderHeardAt < _options.ElectionTimeoutMinimum + _patience);

    /// <summary>A candidate's disk took so long for its own vote; the others' may take as long for theirs.</summary>
    private TimeSpan OwnVoteTook =>
        _now - _stoodAt < _options.MaximumPatience ? _now - _stoodAt : _options.MaximumPatience;

    /// <returns>False if the message is to be passed over.</returns>
    private bool MeetNewTerm(RaftMessage message)
    {
        switch (message)
        {
            case RaftMessage.VoteRequest { IsTransfer: false } when IsLeaderHeard:
                return false;
            case RaftMessage.VoteRequest { IsPre: true }:
            case RaftMessage.VoteResponse { IsPre: true, Granted: true }:
                // Its term is one that nobody has begun.
                return true;
            case RaftMessage.AppendRequest or RaftMessage.Heartbeat or RaftMessage.InstallSnapshot:
                BecomeFollower(message.Term, message.From);
                return true;
            default:
                BecomeFollower(message.Term, leader: 0);
                return true;
        }
    }

    /// <summary>Whoever speaks for an old term learns of the new one. That ends an old leader, and lets one that was
    /// left alone with a higher term back in.</summary>
    private void AnswerOldTerm(RaftMessage message)
    {
        var isRefused = true;
        Planted.Bend(RaftFault.OldTermAccepted, ref isRefused, to: false);
        switch (message)
        {
            case RaftMessage.AppendRequest request when !isRefused:
                OnAppendRequest(request with { Term = Term });
                break;
            case RaftMessage.AppendRequest or RaftMessage.Heartbeat or RaftMessage.InstallSnapshot:
                Send(message.From, Refusal(0, (0, 0)));
                break;
            case RaftMessage.VoteRequest request:
                Send(message.From, new RaftMessage.VoteResponse(Id, Term, request.IsPre, Granted: false));
                break;
        }
    }

    /// <summary>A check that comes late itself proves nothing: this process stood still, perhaps all of its machine,
    /// and what was said meanwhile has yet to arrive. Once a silence, or a node that is always late never stands.
    /// </summary>
    private bool WasHeldUp()
    {
        if (_hasWaitedLonger || _leader == 0 || !IsHeldUp(due: _electionAt))
        {
            return false;
        }
        _hasWaitedLonger = true;
        _electionAt = _now + _options.ElectionTimeoutMinimum;
        return true;
    }

    private bool IsHeldUp(TimeSpan due) =>
        _now - due >= _options.HeartbeatInterval && _options.MaximumPatience >= _options.HeartbeatInterval;

    /// <summary>Those who are left stand one after the other, in the order of their ids and a beat apart: by chance two
    /// would often stand at once, and split the vote. Before the first one a beat passes too, in which the others learn
    /// that the leader is gone.</summary>
    private void MissLeader()
    {
        var before = Members.Voters.Count(voter => voter < Id && voter != _leader);
        var at = _now + (before + 1) * _options.HeartbeatInterval;
        SetRole(RaftRole.Follower, leader: 0);
        _electionAt = at < _electionAt ? at : _electionAt;
    }

    private void OnElectionTimeout()
    {
        RestartElectionTimer();
        if (!CanCampaign)
        {
            // It hears nobody all the same, and whoever asks it is told so.
            SetRole(RaftRole.Follower, leader: 0);
            return;
        }
        SetRole(RaftRole.PreCandidate, leader: 0);
        _votes.Clear();
        foreach (var voter in Members.Voters.Where(voter => voter != Id))
        {
            Send(voter, new RaftMessage.VoteRequest(Id, Term + 1, IsPre: true, _log.LastIndex, _log.LastTerm));
        }
        CountVote(Id, granted: true);
    }

    /// <summary>The requests wait for the disk too. A candidate that crashed with its term and its last entries
    /// unsynced could otherwise stand in the same term again, with a shorter log, and be elected by answers to its
    /// first requests.</summary>
    private void Campaign(bool isTransfer)
    {
        _stoodAt = _now;
        WaitForOwnDisk();
        SetHardState(_hardState with { Term = Term + 1, Vote = Id });
        ForgetTerm();
        SetRole(RaftRole.Candidate, leader: 0);
        _votes.Clear();
        SendWhenDurable(Id, new RaftMessage.VoteResponse(Id, Term, IsPre: false, Granted: true));
        foreach (var voter in Members.Voters.Where(voter => voter != Id))
        {
            SendWhenDurable(voter, new RaftMessage.VoteRequest(
                Id, Term, IsPre: false, _log.LastIndex, _log.LastTerm, isTransfer));
        }
    }

    private void OnVoteRequest(RaftMessage.VoteRequest request)
    {
        var isFree = _hardState.Vote == request.From || (_hardState.Vote == 0 && _leader == 0)
            || (request.IsPre && request.Term > Term);
        Planted.Bend(RaftFault.VotesTwiceInATerm, ref isFree, to: true);
        var isUpToDate = _log.IsUpToDate(request.LastIndex, request.LastTerm);
        Planted.Bend(RaftFault.VotesForAnOlderLog, ref isUpToDate, to: true);
        var mayVote = !IsRecovering;
        Planted.Bend(RaftFault.RecoveringNodeVotes, ref mayVote, to: true);
        if (!isFree || !isUpToDate || !mayVote)
        {
            Send(request.From, new RaftMessage.VoteResponse(Id, Term, request.IsPre, Granted: false));
            return;
        }
        var granted = new RaftMessage.VoteResponse(Id, request.Term, request.IsPre, Granted: true);
        var promises = !request.IsPre;
        if (promises)
        {
            WaitForOwnDisk();
            SetHardState(_hardState with { Vote = request.From });
            Planted.Bend(RaftFault.VoteAnsweredBeforeFsync, ref promises, to: false);
        }
        if (promises)
        {
            SendWhenDurable(request.From, granted);
        }
        else
        {
            Send(request.From, granted);
        }
    }

    private void OnVoteResponse(RaftMessage.VoteResponse response)
    {
        var isAwaited = response.IsPre ? Role == RaftRole.PreCandidate : Role == RaftRole.Candidate;
        // A granted pre-vote names the term that was asked for.
        if (isAwaited && (!response.IsPre || !response.Granted || response.Term == Term + 1))
        {
            CountVote(response.From, response.Granted);
        }
    }

    private void CountVote(ulong from, bool granted)
    {
        _votes.TryAdd(from, granted);
        var (yes, no) = (0, 0);
        foreach (var voter in Members.Voters)
        {
            if (_votes.TryGetValue(voter, out var vote))
            {
                _ = vote ? yes++ : no++;
            }
        }
        if (yes >= Members.Quorum && Role == RaftRole.PreCandidate)
        {
            Campaign(isTransfer: false);
        }
        else if (yes >= Members.Quorum)
        {
            BecomeLeader();
        }
        else if (no > Members.Voters.Count - Members.Quorum)
        {
            SetRole(RaftRole.Follower, leader: 0);
        }
    }

    private void BecomeFollower(ulong term, ulong leader)
    {
        if (Role == RaftRole.Leader)
        {
            RestartElectionTimer();
        }
        if (term > Term)
        {
            SetHardState(_hardState with { Term = term, Vote = 0 });
            ForgetTerm();
        }
        SetRole(RaftRole.Follower, leader);
    }

    /// <summary>While a vote is on its way to the disk, nobody stands against it here: a candidate of the next term
    /// deposes the leader that the vote is about to make.</summary>
    private void WaitForOwnDisk() => RestartElectionTimer(longer: _options.MaximumPatience);

    /// <summary>Somebody leads this term, and it is not this node.</summary>
    private void Follow(ulong leader)
    {
        if (Role == RaftRole.Leader)
        {
            throw new InvalidOperationException($"{leader} and {Id} both lead term {Term}.");
        }
        LearnPatience(leader == _leader ? _now - _leaderHeardAt : TimeSpan.Zero);
        _hasWaitedLonger = false;
        _leaderHeardAt = _now;
        RestartElectionTimer(longer: _patience);
        SetRole(RaftRole.Follower, leader);
    }

    /// <summary>Who was silent for longer than anybody is waited for was away, or this process was. That says nothing
    /// of how late a beat is, and would hold up the next election.</summary>
    private void LearnPatience(TimeSpan silence)
    {
        var wasAway = silence > _options.ElectionTimeoutMaximum + _options.MaximumPatience;
        var late = wasAway ? TimeSpan.Zero : silence - _options.HeartbeatInterval;
        var passed = silence < PatienceFades ? silence : PatienceFades;
        _patience -= _patience * (passed / PatienceFades);
        _patience = late > _patience ? late : _patience;
        _patience = _patience < _options.MaximumPatience ? _patience : _options.MaximumPatience;
    }

    private void SetRole(RaftRole role, ulong leader)
    {
        if (role == Role && leader == _leader && _announcedTerm == Term)
        {
            return;
        }
        var lostReads = leader != _leader || Role == RaftRole.Leader
            ? _reads.TakeLost(_now, leaderChanged: true)
            : [];
        if (Role == RaftRole.Leader && role != RaftRole.Leader)
        {
            StopLeading();
        }
        (Role, _leader, _announcedTerm) = (role, leader, Term);
        RefuseReads(lostReads);
        _effects.Add(new RaftEffect.LeaderChanged(Term, leader, role));
        if (leader != 0)
        {
            EndTransfer(isDone: leader == _transferTo);
        }
    }

    /// <summary>What was learnt from a leader holds for its term only.</summary>
    private void ForgetTerm() => (_verified, _recoveryTarget) = (0, null);
}
