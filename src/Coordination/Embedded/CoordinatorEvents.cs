using Google.Protobuf;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>What can happen to the coordinator.</summary>
internal abstract record CoordinatorEvent
{
    /// <summary>A request that changes something: it is answered when its entry is committed and applied.</summary>
    public sealed record Propose(long RequestId, Command Command) : CoordinatorEvent;

    /// <summary>A Range, a Txn of reads, LeaseTimeToLive, LeaseLeases or Status.</summary>
    public sealed record Read(long RequestId, IMessage Request) : CoordinatorEvent;

    public sealed record KeepAlive(long RequestId, long LeaseId) : CoordinatorEvent;

    public sealed record WatchAsked(long StreamId, Contracts.Etcd.WatchRequest Request) : CoordinatorEvent;

    /// <summary>The core's own: a stream's watches wait for it.</summary>
    public sealed record WatchProof(long StreamId) : CoordinatorEvent;

    /// <summary>The stream wrote this many events to its wire.</summary>
    public sealed record WatchTaken(long StreamId, int Events) : CoordinatorEvent;

    public sealed record WatchClosed(long StreamId) : CoordinatorEvent;

    /// <summary>Another member's message, a write that is durable, a change of members: for the consensus core as it
    /// is.</summary>
    public sealed record ForRaft(RaftEvent Event) : CoordinatorEvent;

    /// <param name="Saved">False if the disk is full.</param>
    public sealed record SnapshotDone(ulong Index, bool Saved) : CoordinatorEvent;

    /// <summary>Another member's snapshot is this log's beginning, durably.</summary>
    public sealed record SnapshotInstalled(Snapshot Snapshot) : CoordinatorEvent;

    public sealed record Tick : CoordinatorEvent;
}

/// <summary>What the shell is to do, in this order.</summary>
internal abstract record CoordinatorEffect
{
    public sealed record Reply(long RequestId, Outcome Outcome) : CoordinatorEffect;

    /// <summary>Not done, and it never will be: another member leads, or none is known (0).</summary>
    public sealed record Redirect(long RequestId, ulong Leader) : CoordinatorEffect;

    /// <summary>A change of members or of the leader was refused by name.</summary>
    public sealed record Refuse(long RequestId, RaftError Error) : CoordinatorEffect;

    public sealed record SendWatch(long StreamId, Contracts.Etcd.WatchResponse Response) : CoordinatorEffect;

    /// <summary>The stream is over, and so are its watches.</summary>
    public sealed record EndWatch(long StreamId, CoordinatorError Error) : CoordinatorEffect;

    public sealed record SaveSnapshot(Snapshot Snapshot) : CoordinatorEffect;

    /// <summary>A write, a message, a piece of a snapshot: as the consensus core asks for it.</summary>
    public sealed record OfRaft(RaftEffect Effect) : CoordinatorEffect;

    /// <summary>This member leads, and everything before its term is applied.</summary>
    public sealed record TermBegan : CoordinatorEffect;

    /// <summary>The members, or where one is reached, have changed.</summary>
    public sealed record MembersChanged(IReadOnlyList<SavedMember> Members) : CoordinatorEffect;
}
