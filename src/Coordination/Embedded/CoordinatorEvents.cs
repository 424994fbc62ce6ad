using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;

namespace Hexcast.Coordination.Embedded;

/// <summary>What can happen to the coordinator. The shell hands these over one at a time, with the time of
/// each.</summary>
internal abstract record CoordinatorEvent
{
    /// <summary>A request that changes something: it is answered when its entry is durable and applied.</summary>
    public sealed record Propose(long RequestId, Command Command) : CoordinatorEvent;

    /// <summary>A Range, a Txn of reads, LeaseTimeToLive, LeaseLeases or Status.</summary>
    public sealed record Read(long RequestId, IMessage Request) : CoordinatorEvent;

    public sealed record KeepAlive(long RequestId, long LeaseId) : CoordinatorEvent;

    public sealed record WatchAsked(long StreamId, WatchRequest Request) : CoordinatorEvent;

    /// <summary>The stream wrote this many events to its wire.</summary>
    public sealed record WatchTaken(long StreamId, int Events) : CoordinatorEvent;

    public sealed record WatchClosed(long StreamId) : CoordinatorEvent;

    /// <summary>Every entry up to this index is on disk.</summary>
    public sealed record Persisted(ulong Index) : CoordinatorEvent;

    /// <summary>The disk is full: no entry after this index was written, and none of them will be.</summary>
    public sealed record AppendRefused(ulong After) : CoordinatorEvent;

    /// <param name="Saved">False if the disk is full.</param>
    public sealed record SnapshotDone(ulong Index, bool Saved) : CoordinatorEvent;

    public sealed record Tick : CoordinatorEvent;
}

/// <summary>What the shell is to do, in this order.</summary>
internal abstract record CoordinatorEffect
{
    public sealed record Append(LogEntry Entry) : CoordinatorEffect;

    public sealed record Reply(long RequestId, Outcome Outcome) : CoordinatorEffect;

    public sealed record SendWatch(long StreamId, WatchResponse Response) : CoordinatorEffect;

    public sealed record SaveSnapshot(Snapshot Snapshot) : CoordinatorEffect;
}
