using Hexcast.Coordination.Embedded.Log;
using Hexcast.Platform.Errors;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>What is done with snapshots: this member's own, and pieces of those that members send each other.</summary>
internal abstract record SnapshotWork
{
    public sealed record Save(Snapshot Snapshot) : SnapshotWork;

    public sealed record Read(RaftEffect.ReadSnapshotChunk Chunk) : SnapshotWork;

    public sealed record Store(RaftEffect.StoreSnapshotChunk Chunk) : SnapshotWork;
}

/// <summary>Saves snapshots, and passes them on piece by piece. A piece that finds no space is tried again.</summary>
/// <param name="offer">Gets one that has come in whole.</param>
/// <param name="drop">Gets the index of one that was saved.</param>
internal sealed class SnapshotKeeper(
    IDisk disk, Action<CoordinatorEvent> post, Action<Snapshot> offer, Action<ulong> drop)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private RaftEffect.StoreSnapshotChunk? _unstored;

    /// <summary>How long it may wait for more work.</summary>
    public TimeSpan Wait => _unstored is not null ? RetryInterval : TimeSpan.MaxValue;

    public void Take(IReadOnlyList<SnapshotWork> work)
    {
        if (_unstored is { } piece)
        {
            Store(piece);
        }
        foreach (var one in work)
        {
            switch (one)
            {
                case SnapshotWork.Save save:
                    var saved = SnapshotFile.TrySave(disk, save.Snapshot);
                    post(new CoordinatorEvent.SnapshotDone(save.Snapshot.Index, saved));
                    if (saved)
                    {
                        drop(save.Snapshot.Index);
                    }
                    break;
                case SnapshotWork.Read read:
                    Read(read.Chunk);
                    break;
                case SnapshotWork.Store store:
                    Store(store.Chunk);
                    break;
            }
        }
    }

    private void Read(RaftEffect.ReadSnapshotChunk chunk)
    {
        var piece = SnapshotFile.ReadPiece(disk, chunk.SnapshotIndex, chunk.Offset, chunk.MaximumBytes);
        // An array that is null would become a piece of no bytes.
        var bytes = piece is { } found ? found.Bytes.AsMemory() : default(ReadOnlyMemory<byte>?);
        post(new CoordinatorEvent.ForRaft(new RaftEvent.SnapshotChunkRead(
            chunk.To, chunk.SnapshotIndex, chunk.Offset, bytes, piece is { IsLast: true })));
    }

    private void Store(RaftEffect.StoreSnapshotChunk chunk)
    {
        _unstored = null;
        try
        {
            SnapshotFile.StorePiece(disk, chunk.Offset, chunk.Bytes.Span);
        }
        catch (IOException exception) when (StorageFaults.IsFull(exception))
        {
            _unstored = chunk;
            return;
        }
        var incoming = chunk.IsLast ? SnapshotFile.CompleteIncoming(disk, chunk.Mark) : null;
        if (incoming is not null)
        {
            offer(incoming);
        }
        var isWhole = incoming is not null;
        var next = chunk.IsLast && !isWhole ? 0 : chunk.Offset + chunk.Bytes.Length;
        post(new CoordinatorEvent.ForRaft(new RaftEvent.SnapshotChunkStored(chunk.Mark.Index, next, isWhole)));
    }
}
