using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>What the leader does by itself: the end of leases, compaction, the next voters, leaving a slow disk.
/// </summary>
internal sealed partial class CoordinatorCore
{
    private const int ExpiriesPerEntry = 512;

    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(100);

    // The log holds the end of a lease, so that must not be decided because this process was stopped for a while:
    // the leases' clock runs at most this much between two steps.
    private static readonly TimeSpan MaximumTickAdvance = TimeSpan.FromMilliseconds(500);

    /// <summary>A leader whose disk is this far behind those of the others, twice in a row, or once twice as far, gives
    /// the leadership away. Any disk has a slow moment, and meanwhile the others' commit.</summary>
    private static readonly TimeSpan SlowDisk = TimeSpan.FromMilliseconds(300);

    private TimeSpan _lastNow;
    private TimeSpan _leaseClock;
    private TimeSpan _leaseClockSetAt;
    private bool _compactionAsked;

    /// <summary>This member's term has begun: until then it does not know how long the leases have.</summary>
    private bool _hasBegun;
    private uint _leasesNamed;

    /// <summary>Where the log ended, and when; null: this disk had it all at the last tick.</summary>
    private (ulong Index, TimeSpan At)? _toBeDurable;

    /// <summary>The last time that it had not, it took so long.</summary>
    private bool _wasSlow;

    private void LeaderChanged(RaftEffect.LeaderChanged changed)
    {
        _hasBegun = false;
        if (changed.Role == RaftRole.Leader)
        {
            (_leasesNamed, _compactionAsked, _toBeDurable, _wasSlow) = (0, false, null, false);
            return;
        }
        // They may still be committed: whoever asked cannot know, and is told so at once.
        EndProposals(from: 0, new Outcome(null, CoordinatorError.LeaderLost));
    }

    /// <summary>The first entry of this member's term is applied, and with it all of the terms before.</summary>
    private void BeginTerm()
    {
        _hasBegun = true;
        var isRenewed = true;
        Planted.Bend(CoordinatorFault.LeaseCarriedOverShort, ref isRenewed, to: false);
        if (isRenewed)
        {
            _state.Leases.RenewAll(_leaseClock);
        }
        _effects.Add(new CoordinatorEffect.TermBegan());
        if (OwnRecord is not { } own || !IsTrue(own))
        {
            ProposeOwn(new Command { MemberPut = _identity.AsMember() });
        }
    }

    /// <summary>Not at ticks only: a lease that is kept alive between two of them has its time from then on.</summary>
    private void AdvanceLeaseClock()
    {
        var passed = _now - _leaseClockSetAt;
        _leaseClock += passed < MaximumTickAdvance ? passed : MaximumTickAdvance;
        _leaseClockSetAt = _now;
    }

    private void Tick()
    {
        _lastNow = _now;
        _forRaft.Add(RaftEvent.Tick.Now);
        _watches.Tick(_now);
        _state.Store.Clean(PiecesAtOnce);
        GoOnMaking(PiecesAtOnce);
        TickWatches();
        if (!IsLeader || !_hasBegun)
        {
            return;
        }
        var expired = _state.Leases.TakeExpired(_leaseClock, ExpiriesPerEntry);
        if (expired.Count > 0)
        {
            ProposeOwn(new Command { LeaseExpire = new LeaseExpire { Ids = { expired } } });
        }
        CompactIfDue();
        PromoteIfReady();
        LeaveSlowDisk();
    }

    /// <summary>Once there is twice as much of the past as is kept, in revisions or in bytes: a revision has as many
    /// changes as its transaction, and the past would outweigh by far what is there now.</summary>
    private void CompactIfDue()
    {
        var store = _state.Store;
        var keptBytes = Math.Min(_limits.HistoryBytes, _limits.StoreBytes / 8);
        if (_compactionAsked || (store.Revision - store.CompactedRevision < 2 * _limits.HistoryRevisions
            && store.HistoryBytes < 2 * keptBytes))
        {
            return;
        }
        _compactionAsked = true;
        var revision = Math.Max(store.Revision - _limits.HistoryRevisions, store.FirstOfTheLast(keptBytes));
        ProposeOwn(new Command { Compact = new CompactionRequest { Revision = revision } });
    }

    /// <summary>Two learners become voters one after the other, so that their number is even only in between: two
    /// voters would be worse than one, for both would be needed.</summary>
    private void PromoteIfReady()
    {
        var members = _raft.Members;
        var voters = members.Voters.Count;
        var missing = voters % 2 == 0 ? 1 : 2;
        if (members.Learners.Count < missing || voters + missing > _limits.Voters)
        {
            return;
        }
        var ready = _raft.Progresses
            .Where(progress => members.IsLearner(progress.Node) && progress.Match > 0
                && progress.Match + (ulong)_limits.Raft.PromotionLagEntries >= _raft.Log.LastIndex)
            .ToList();
        if (ready.Count >= missing)
        {
            _forRaft.Add(new RaftEvent.ChangeMembers(--_lastOwnRequest, MemberChange.Promote, ready[0].Node));
        }
    }

    private void LeaveSlowDisk()
    {
        if (_toBeDurable is { } done && _raft.DurableIndex >= done.Index)
        {
            (_toBeDurable, _wasSlow) = (null, _now - done.At >= SlowDisk);
        }
        if (_toBeDurable is not { } awaited)
        {
            _toBeDurable = _raft.Log.LastIndex > _raft.DurableIndex ? (_raft.Log.LastIndex, _now) : null;
            return;
        }
        var faster = _raft.Progresses
            .Where(progress => _raft.Members.IsVoter(progress.Node) && progress.Match >= awaited.Index)
            .MaxBy(progress => progress.Match);
        if (_now - awaited.At >= (_wasSlow ? SlowDisk : 2 * SlowDisk) && faster is not null)
        {
            _toBeDurable = null;
            _forRaft.Add(new RaftEvent.TransferLeadership(--_lastOwnRequest, faster.Node));
        }
    }

    /// <summary>Unique without a random source: no two leaders share a term.</summary>
    private long NewLeaseId()
    {
        long id;
        do
        {
            id = (long)((_raft.Term & 0x7fff_ffff) << 32 | ++_leasesNamed);
        }
        while (_state.Leases.Exists(id));
        return id;
    }
}
