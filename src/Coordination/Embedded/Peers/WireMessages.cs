using Google.Protobuf;
using Hexcast.Raft;
using Wire = Hexcast.Contracts.V1.RaftMessage;
using WireEntry = Hexcast.Contracts.V1.RaftEntry;

namespace Hexcast.Coordination.Embedded.Peers;

/// <summary>The consensus core's messages as they go over the wire, and back.</summary>
internal static class WireMessages
{
    /// <summary>Entries and pieces of snapshots: they may take a while, and nothing urgent waits behind them. Also a
    /// request without entries: it speaks of those before it, and where it overtook them would be refused.</summary>
    public static bool IsBulk(RaftMessage message) =>
        message is RaftMessage.AppendRequest or RaftMessage.InstallSnapshot;

    public static Wire ToWire(RaftMessage message)
    {
        var wire = new Wire { From = message.From, Term = message.Term };
        switch (message)
        {
            case RaftMessage.VoteRequest m:
                wire.VoteRequest = new Wire.Types.VoteRequest
                {
                    IsPre = m.IsPre, LastIndex = m.LastIndex, LastTerm = m.LastTerm, IsTransfer = m.IsTransfer,
                };
                break;
            case RaftMessage.VoteResponse m:
                wire.VoteResponse = new Wire.Types.VoteResponse { IsPre = m.IsPre, Granted = m.Granted };
                break;
            case RaftMessage.AppendRequest m:
                wire.AppendRequest = new Wire.Types.AppendRequest
                {
                    PreviousIndex = m.PreviousIndex, PreviousTerm = m.PreviousTerm, Commit = m.Commit,
                };
                wire.AppendRequest.Entries.AddRange(m.Entries.Select(ToWire));
                break;
            case RaftMessage.AppendResponse m:
                wire.AppendResponse = new Wire.Types.AppendResponse
                {
                    Accepted = m.Accepted, Index = m.Index, HintIndex = m.HintIndex, HintTerm = m.HintTerm,
                    Recovering = m.Recovering,
                };
                break;
            case RaftMessage.Heartbeat m:
                wire.Heartbeat = new Wire.Types.Heartbeat { Commit = m.Commit, Round = m.Round };
                break;
            case RaftMessage.HeartbeatResponse m:
                wire.HeartbeatResponse = new Wire.Types.HeartbeatResponse
                {
                    Round = m.Round, Recovering = m.Recovering, Commit = m.Commit,
                };
                break;
            case RaftMessage.InstallSnapshot m:
                wire.InstallSnapshot = new Wire.Types.InstallSnapshot
                {
                    Index = m.Mark.Index, IndexTerm = m.Mark.Term, Offset = m.Offset, IsLast = m.IsLast,
                    Bytes = UnsafeByteOperations.UnsafeWrap(m.Bytes),
                };
                wire.InstallSnapshot.Voters.AddRange(m.Mark.Members.Voters);
                wire.InstallSnapshot.Learners.AddRange(m.Mark.Members.Learners);
                break;
            case RaftMessage.InstallSnapshotResponse m:
                wire.InstallSnapshotResponse = new Wire.Types.InstallSnapshotResponse
                {
                    Index = m.SnapshotIndex, NextOffset = m.NextOffset,
                };
                break;
            case RaftMessage.ReadRequest m:
                wire.ReadRequest = new Wire.Types.ReadRequest { Context = m.Context };
                break;
            case RaftMessage.ReadResponse m:
                wire.ReadResponse = new Wire.Types.ReadResponse { Context = m.Context, Index = m.Index };
                break;
            case RaftMessage.RecoveryRequest m:
                wire.RecoveryRequest = new Wire.Types.RecoveryRequest { Context = m.Context };
                break;
            case RaftMessage.RecoveryResponse m:
                wire.RecoveryResponse = new Wire.Types.RecoveryResponse
                {
                    Context = m.Context, LastIndex = m.LastIndex,
                };
                break;
            case RaftMessage.TimeoutNow:
                wire.TimeoutNow = new Wire.Types.TimeoutNow();
                break;
            default:
                throw new InvalidOperationException($"There is no wire form of {message.GetType().Name}.");
        }
        return wire;
    }

    /// <returns>Null: a later version says something that this one does not know.</returns>
    /// <exception cref="InvalidDataException">It is no such message.</exception>
    public static RaftMessage? FromWire(Wire wire)
    {
        var (from, term) = (wire.From, wire.Term);
        return wire.MessageCase switch
        {
            Wire.MessageOneofCase.VoteRequest => new RaftMessage.VoteRequest(
                from, term, wire.VoteRequest.IsPre, wire.VoteRequest.LastIndex, wire.VoteRequest.LastTerm,
                wire.VoteRequest.IsTransfer),
            Wire.MessageOneofCase.VoteResponse => new RaftMessage.VoteResponse(
                from, term, wire.VoteResponse.IsPre, wire.VoteResponse.Granted),
            Wire.MessageOneofCase.AppendRequest => FromWire(from, term, wire.AppendRequest),
            Wire.MessageOneofCase.AppendResponse => new RaftMessage.AppendResponse(
                from, term, wire.AppendResponse.Accepted, wire.AppendResponse.Index, wire.AppendResponse.HintIndex,
                wire.AppendResponse.HintTerm, wire.AppendResponse.Recovering),
            Wire.MessageOneofCase.Heartbeat => new RaftMessage.Heartbeat(
                from, term, wire.Heartbeat.Commit, wire.Heartbeat.Round),
            Wire.MessageOneofCase.HeartbeatResponse => new RaftMessage.HeartbeatResponse(
                from, term, wire.HeartbeatResponse.Round, wire.HeartbeatResponse.Recovering,
                wire.HeartbeatResponse.Commit),
            Wire.MessageOneofCase.InstallSnapshot => FromWire(from, term, wire.InstallSnapshot),
            Wire.MessageOneofCase.InstallSnapshotResponse when wire.InstallSnapshotResponse.NextOffset < 0 =>
                throw new InvalidDataException("No piece of a snapshot is before its beginning."),
            Wire.MessageOneofCase.InstallSnapshotResponse => new RaftMessage.InstallSnapshotResponse(
                from, term, wire.InstallSnapshotResponse.Index, wire.InstallSnapshotResponse.NextOffset),
            Wire.MessageOneofCase.ReadRequest => new RaftMessage.ReadRequest(from, term, wire.ReadRequest.Context),
            Wire.MessageOneofCase.ReadResponse => new RaftMessage.ReadResponse(
                from, term, wire.ReadResponse.Context, wire.ReadResponse.Index),
            Wire.MessageOneofCase.RecoveryRequest => new RaftMessage.RecoveryRequest(
                from, term, wire.RecoveryRequest.Context),
            Wire.MessageOneofCase.RecoveryResponse => new RaftMessage.RecoveryResponse(
                from, term, wire.RecoveryResponse.Context, wire.RecoveryResponse.LastIndex),
            Wire.MessageOneofCase.TimeoutNow => new RaftMessage.TimeoutNow(from, term),
            _ => null,
        };
    }

    private static WireEntry ToWire(Entry entry) => new()
    {
        Term = entry.Term,
        Index = entry.Index,
        Kind = (uint)entry.Kind,
        Payload = UnsafeByteOperations.UnsafeWrap(entry.Payload),
    };

    private static RaftMessage.AppendRequest FromWire(ulong from, ulong term, Wire.Types.AppendRequest wire)
    {
        var entries = new Entry[wire.Entries.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            var entry = wire.Entries[i];
            if (entry.Kind is < (uint)EntryKind.TermStart or > (uint)EntryKind.Membership
                || entry.Index != wire.PreviousIndex + (ulong)i + 1)
            {
                throw new InvalidDataException($"Entry {entry.Index} of kind {entry.Kind} does not belong there.");
            }
            entries[i] = new Entry(entry.Term, entry.Index, (EntryKind)entry.Kind, entry.Payload.Memory);
        }
        return new RaftMessage.AppendRequest(
            from, term, wire.PreviousIndex, wire.PreviousTerm, entries, wire.Commit);
    }

    private static RaftMessage.InstallSnapshot FromWire(ulong from, ulong term, Wire.Types.InstallSnapshot wire)
    {
        if (wire.Voters.Count + wire.Learners.Count > Members.MaximumMembers || wire.Offset < 0)
        {
            throw new InvalidDataException(
                $"A piece at {wire.Offset}, of {wire.Voters.Count + wire.Learners.Count} members, cannot be.");
        }
        var mark = new SnapshotMark(wire.Index, wire.IndexTerm, Members.Of(wire.Voters, wire.Learners));
        return new RaftMessage.InstallSnapshot(from, term, mark, wire.Offset, wire.Bytes.Memory, wire.IsLast);
    }
}
