using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>What becomes of an entry that is committed, and of the log behind it.</summary>
internal sealed partial class CoordinatorCore
{
    /// <summary>Keys or changes that a snapshot takes up, or a compaction lets go of, at its beginning and at each
    /// tick: a fraction of what an election takes. With each entry there are more than it adds.</summary>
    private const int PiecesAtOnce = 8_192;
    private const int PiecesAnEntry = 512;

    /// <summary>So long one that is due waits for another that is on its way to a member: replaced sooner each time,
    /// it would never get there.</summary>
    private static readonly TimeSpan SendingPatience = TimeSpan.FromMinutes(1);

    private ulong _snapshotIndex;
    private long _bytesSinceSnapshot;
    private bool _snapshotAsked;
    private TimeSpan? _snapshotDueAt;
    private SnapshotMaking? _making;
    private Snapshot? _made;

    private void Apply(Entry entry)
    {
        // A leader has the command still; everybody else, and who restarts, reads it from the entry.
        var isOwn = _proposed.Remove(entry.Index, out var proposal) && proposal.Term == entry.Term;
        var outcome = default(Outcome);
        if (entry.Kind == EntryKind.Membership)
        {
            MembersMayHaveChanged();
        }
        else
        {
            var command = isOwn ? proposal.Command : Command.Parser.ParseFrom(entry.Payload.Span);
            outcome = _state.Apply(command, _leaseClock, revision => _watches.Publish(revision, _now));
            Applied(command);
        }
        _appliedIndex = entry.Index;
        _bytesSinceSnapshot += entry.Payload.Length;
        _state.Store.Clean(PiecesAnEntry);
        GoOnMaking(PiecesAnEntry);
        if (entry.Kind == EntryKind.TermStart && entry.Term == _raft.Term && IsLeader)
        {
            BeginTerm();
        }
        if (isOwn)
        {
            Reply(proposal.RequestId, WithIdentity(outcome));
        }
        else if (proposal.RequestId > 0)
        {
            // Another leader's entry stands where this one was to stand.
            Reply(proposal.RequestId, new Outcome(null, CoordinatorError.LeaderLost));
        }
    }

    private void Applied(Command command)
    {
        switch (command.KindCase)
        {
            case Command.KindOneofCase.Compact:
                _compactionAsked = false;
                break;
            case Command.KindOneofCase.MemberPut or Command.KindOneofCase.MemberRemove:
                MembersMayHaveChanged();
                break;
        }
    }

    private void MembersMayHaveChanged() => _effects.Add(new CoordinatorEffect.MembersChanged(KnownMembers));

    private void SnapshotIfDue()
    {
        if (_snapshotAsked || (_appliedIndex - _snapshotIndex < (ulong)_limits.SnapshotEntries
            && _bytesSinceSnapshot < _limits.SnapshotBytes) || _bytesSinceSnapshot < WorthASnapshot)
        {
            return;
        }
        _snapshotDueAt ??= _now;
        if (_raft.IsSendingSnapshot && _now - _snapshotDueAt < SendingPatience
            && _bytesSinceSnapshot < MostBytesWhileSending)
        {
            return;
        }
        _snapshotDueAt = null;
        _snapshotAsked = true;
        _bytesSinceSnapshot = 0;
        _making = new SnapshotMaking(_state, _raft.Log.MarkOf(_appliedIndex));
        GoOnMaking(PiecesAtOnce);
    }

    /// <summary>A large state is written again only when much of it may have changed.</summary>
    private long WorthASnapshot => (_state.Store.SizeBytes - _limits.SnapshotBytes) / 2;

    /// <summary>A member that takes longer for its snapshot than others do to write as much again cannot catch up; and
    /// the log is in memory.</summary>
    private long MostBytesWhileSending => _state.Store.SizeBytes + 2 * _limits.SnapshotBytes;

    /// <summary>It is saved once this member's own log goes as far, which the others' may do long before: a log that
    /// ends before its snapshot cannot be told from one that has lost what it acknowledged.</summary>
    private void GoOnMaking(int pieces)
    {
        if (_making?.Advance(pieces) is { } snapshot)
        {
            (_making, _made) = (null, snapshot);
        }
        var isDurable = _made is null || _raft.DurableIndex >= _made.Index;
        Planted.Bend(CoordinatorFault.SnapshotAheadOfItsLog, ref isDurable, to: true);
        if (_made is { } made && isDurable)
        {
            _made = null;
            _effects.Add(new CoordinatorEffect.SaveSnapshot(made));
        }
    }

    private void SnapshotDone(ulong index, bool saved)
    {
        _snapshotAsked = false;
        // One that failed is tried again when as many entries have come as between two.
        _snapshotIndex = Math.Max(_snapshotIndex, index);
        if (saved)
        {
            _forRaft.Add(new RaftEvent.SnapshotSaved(index));
        }
    }

    /// <summary>Watchers are told what they have missed from the history that came with it.</summary>
    private void Install(Snapshot snapshot)
    {
        if (_making is not null || _made is not null)
        {
            (_making, _made, _snapshotAsked) = (null, null, false);
        }
        _state = new StateMachine();
        SnapshotContent.Restore(_state, snapshot.State);
        _appliedIndex = _snapshotIndex = snapshot.Index;
        _bytesSinceSnapshot = 0;
        // Whether these were done, the snapshot does not tell.
        EndProposals(from: 0, new Outcome(null, CoordinatorError.LeaderLost));
        _watches.MoveTo(_state.Store);
        MembersMayHaveChanged();
        _forRaft.Add(new RaftEvent.SnapshotInstalled(snapshot.Index));
    }

    /// <summary>Ends the proposals from this index on with this answer.</summary>
    private void EndProposals(ulong from, Outcome outcome)
    {
        foreach (var (index, proposal) in _proposed.Where(proposal => proposal.Key >= from).ToList())
        {
            _proposed.Remove(index);
            Forget(proposal.Command);
            Reply(proposal.RequestId, outcome);
        }
    }

    /// <summary>What the leader asked for by itself is asked for again.</summary>
    private void Forget(Command command)
    {
        switch (command.KindCase)
        {
            case Command.KindOneofCase.Compact:
                _compactionAsked = false;
                break;
            case Command.KindOneofCase.LeaseExpire:
                _state.Leases.Unname(command.LeaseExpire.Ids);
                break;
        }
    }
}
