using Hexcast.Coordination.Embedded.Log;
using Hexcast.Platform.Errors;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>
/// The two threads that write: one the log, one the snapshots, so that a large snapshot holds up no fsync of the log.
/// On a full disk they try again until there is space.
/// </summary>
internal sealed class CoordinatorLanes
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly IDisk _disk;
    private readonly DurableLog _log;
    private readonly TimeProvider _clock;
    private readonly Action<CoordinatorEvent> _post;
    private readonly Lane<LogWork> _logLane;
    private readonly Lane<SnapshotWork> _snapshotLane;

    /// <summary>Handed to the log's thread and not durable yet.</summary>
    private readonly List<RaftEffect.Persist> _unwritten = [];

    /// <summary>The piece that found no space.</summary>
    private RaftEffect.StoreSnapshotChunk? _unstored;

    /// <summary>Whole and durable, under its temporary name.</summary>
    private volatile Snapshot? _incoming;

    /// <summary>To be installed as soon as there is space.</summary>
    private SnapshotMark? _uninstalled;

    private abstract record LogWork
    {
        public sealed record Write(RaftEffect.Persist Persist) : LogWork;

        public sealed record Drop(ulong SnapshotIndex) : LogWork;

        public sealed record Install(SnapshotMark Mark) : LogWork;

        public sealed record Remember(IReadOnlyList<SavedMember> Members) : LogWork;
    }

    private abstract record SnapshotWork
    {
        public sealed record Save(Snapshot Snapshot) : SnapshotWork;

        public sealed record Read(RaftEffect.ReadSnapshotChunk Chunk) : SnapshotWork;

        public sealed record Store(RaftEffect.StoreSnapshotChunk Chunk) : SnapshotWork;
    }

    public CoordinatorLanes(
        IDisk disk, DurableLog log, TimeProvider clock, Action<CoordinatorEvent> post, Action<Exception> failed)
    {
        (_disk, _log, _clock, _post) = (disk, log, clock, post);
        _logLane = new Lane<LogWork>("coordinator log", LogWait, Handle, failed);
        _snapshotLane = new Lane<SnapshotWork>("coordinator snapshots", SnapshotWait, Handle, failed);
    }

    public void Start()
    {
        _logLane.Start();
        _snapshotLane.Start();
    }

    public void Save(Snapshot snapshot) => _snapshotLane.TryPost(new SnapshotWork.Save(snapshot));

    public void RememberMembers(IReadOnlyList<SavedMember> members) =>
        _logLane.TryPost(new LogWork.Remember(members));

    public void Execute(RaftEffect effect)
    {
        switch (effect)
        {
            case RaftEffect.Persist persist:
                _logLane.TryPost(new LogWork.Write(persist));
                break;
            case RaftEffect.InstallSnapshot install:
                _logLane.TryPost(new LogWork.Install(install.Mark));
                break;
            case RaftEffect.ReadSnapshotChunk read:
                _snapshotLane.TryPost(new SnapshotWork.Read(read));
                break;
            case RaftEffect.StoreSnapshotChunk store:
                _snapshotLane.TryPost(new SnapshotWork.Store(store));
                break;
        }
    }

    public async Task StopAsync()
    {
        _logLane.Close();
        _snapshotLane.Close();
        await Task.WhenAll(_logLane.Ended, _snapshotLane.Ended);
        _log.Dispose();
    }

    private TimeSpan LogWait() =>
        _unwritten.Count > 0 || _uninstalled is not null ? RetryInterval : TimeSpan.MaxValue;

    private TimeSpan SnapshotWait() => _unstored is not null ? RetryInterval : TimeSpan.MaxValue;

    private void Handle(IReadOnlyList<LogWork> work)
    {
        // In their order: a snapshot replaces what was written before it.
        foreach (var one in work)
        {
            switch (one)
            {
                case LogWork.Write write:
                    _unwritten.Add(write.Persist);
                    break;
                case LogWork.Drop drop:
                    _log.DropBefore(drop.SnapshotIndex);
                    break;
                case LogWork.Install install:
                    Write();
                    _uninstalled = install.Mark;
                    break;
                case LogWork.Remember remember:
                    _log.RememberMembers(remember.Members);
                    break;
            }
        }
        Write();
        Install();
    }

    private void Write()
    {
        if (_unwritten.Count == 0)
        {
            return;
        }
        var started = _clock.GetTimestamp();
        var stored = _log.TryPersist(_unwritten);
        CoordinationTelemetry.NoteSync(
            _clock.GetElapsedTime(started), _unwritten.Sum(write => write.Entries.Count), stored);
        if (stored)
        {
            _post(new CoordinatorEvent.ForRaft(new RaftEvent.Persisted(_unwritten[^1].Sequence)));
            _unwritten.Clear();
        }
        else
        {
            _post(new CoordinatorEvent.ForRaft(new RaftEvent.WriteRefused()));
        }
    }

    private void Install()
    {
        if (_uninstalled is { } mark && _incoming is { } snapshot && _unwritten.Count == 0 && _log.TryInstall(mark))
        {
            (_uninstalled, _incoming) = (null, null);
            _post(new CoordinatorEvent.SnapshotInstalled(snapshot));
        }
    }

    private void Handle(IReadOnlyList<SnapshotWork> work)
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
                    var saved = SnapshotFile.TrySave(_disk, save.Snapshot);
                    _post(new CoordinatorEvent.SnapshotDone(save.Snapshot.Index, saved));
                    if (saved)
                    {
                        _logLane.TryPost(new LogWork.Drop(save.Snapshot.Index));
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
        var piece = SnapshotFile.ReadPiece(_disk, chunk.SnapshotIndex, chunk.Offset, chunk.MaximumBytes);
        // An array that is null would become a piece of no bytes.
        var bytes = piece is { } found ? found.Bytes.AsMemory() : default(ReadOnlyMemory<byte>?);
        _post(new CoordinatorEvent.ForRaft(new RaftEvent.SnapshotChunkRead(
            chunk.To, chunk.SnapshotIndex, chunk.Offset, bytes, piece is { IsLast: true })));
    }

    private void Store(RaftEffect.StoreSnapshotChunk chunk)
    {
        _unstored = null;
        try
        {
            SnapshotFile.StorePiece(_disk, chunk.Offset, chunk.Bytes.Span);
        }
        catch (IOException exception) when (StorageFaults.IsFull(exception))
        {
            _unstored = chunk;
            return;
        }
        var isWhole = chunk.IsLast && (_incoming = SnapshotFile.CompleteIncoming(_disk, chunk.Mark)) is not null;
        var next = chunk.IsLast && !isWhole ? 0 : chunk.Offset + chunk.Bytes.Length;
        _post(new CoordinatorEvent.ForRaft(new RaftEvent.SnapshotChunkStored(chunk.Mark.Index, next, isWhole)));
    }
}
