namespace Hexcast.Raft;

/// <summary>Snapshots (5): the log is cut behind them, and whoever needs what was cut off gets one in pieces. The bytes
/// pass through here only on their way; the shell reads and stores them.</summary>
internal sealed partial class RaftCore
{
    /// <summary>What is coming in, from whose term, and how much of it is stored. Leaders of different terms may write
    /// the same state in different bytes, so pieces of two are never put together.</summary>
    private (SnapshotMark Mark, ulong Term, long Offset)? _receiving;

    /// <summary>The shell is storing a piece.</summary>
    private bool _isStoring;

    /// <summary>The shell is becoming this snapshot's state. Entries are passed over meanwhile.</summary>
    private SnapshotMark? _installing;

    /// <summary>A member that answers is getting this leader's snapshot. A newer one would have to be sent from its
    /// beginning.</summary>
    public bool IsSendingSnapshot => _progress.Exists(progress =>
        progress.State == ProgressState.Snapshot && _now - progress.ChunkAskedAt < 2 * _options.ChunkTimeout);

    private void SnapshotSaved(ulong index)
    {
        if (index > _log.Snapshot.Index)
        {
            _log.Compact(index, _options.EntriesKeptBehindSnapshot);
        }
    }

    private void AskForChunk(Progress progress, long offset)
    {
        progress.AskedForChunk(offset, _now);
        _effects.Add(new RaftEffect.ReadSnapshotChunk(
            progress.Node, progress.Snapshot!.Index, offset, _options.SnapshotChunkBytes));
    }

    private void RepeatChunk(Progress progress)
    {
        if (_now - progress.ChunkAskedAt >= _options.ChunkTimeout)
        {
            AskForChunk(progress, progress.SnapshotOffset);
        }
    }

    private void SnapshotChunkRead(RaftEvent.SnapshotChunkRead chunk)
    {
        if (ProgressOf(chunk.To) is not { Snapshot: { } mark } progress
            || mark.Index != chunk.SnapshotIndex || progress.SnapshotOffset != chunk.Offset)
        {
            return;
        }
        if (chunk.Bytes is { } bytes)
        {
            Send(chunk.To, new RaftMessage.InstallSnapshot(Id, Term, mark, chunk.Offset, bytes, chunk.IsLast));
        }
        else if (_log.Snapshot.Index > mark.Index)
        {
            // A newer one has replaced it.
            progress.BeginSnapshot(_log.Snapshot);
            AskForChunk(progress, 0);
        }
    }

    private void OnInstallSnapshotResponse(RaftMessage.InstallSnapshotResponse response, Progress progress)
    {
        progress.Heard(_now, progress.IsRecovering);
        if (progress.Snapshot?.Index == response.SnapshotIndex && progress.SnapshotOffset != response.NextOffset)
        {
            AskForChunk(progress, response.NextOffset);
        }
    }

    private void OnInstallSnapshot(RaftMessage.InstallSnapshot install)
    {
        Follow(install.From);
        if (_isStoring || _installing is not null || IsHereAlready(install.Mark))
        {
            return;
        }
        if (_receiving is not { } receiving || receiving.Term != Term || receiving.Mark.Index != install.Mark.Index)
        {
            receiving = (install.Mark, Term, 0);
            _receiving = receiving;
        }
        if (install.Offset != receiving.Offset)
        {
            AskForPiece(receiving);
            return;
        }
        _isStoring = true;
        _effects.Add(new RaftEffect.StoreSnapshotChunk(install.Mark, install.Offset, install.Bytes, install.IsLast));
    }

    private void SnapshotChunkStored(RaftEvent.SnapshotChunkStored stored)
    {
        _isStoring = false;
        if (_receiving is not { } receiving || receiving.Mark.Index != stored.SnapshotIndex
            || IsHereAlready(receiving.Mark))
        {
            return;
        }
        receiving.Offset = stored.NextOffset;
        _receiving = receiving;
        var isWhole = stored.IsLast;
        Planted.Bend(RaftFault.SnapshotWithoutItsLastPiece, ref isWhole, to: true);
        if (isWhole)
        {
            (_installing, _receiving) = (receiving.Mark, null);
            _effects.Add(new RaftEffect.InstallSnapshot(receiving.Mark));
        }
        else if (receiving.Term == Term && _leader != 0)
        {
            AskForPiece(receiving);
        }
    }

    private void AskForPiece((SnapshotMark Mark, ulong Term, long Offset) receiving) => Send(
        _leader, new RaftMessage.InstallSnapshotResponse(Id, Term, receiving.Mark.Index, receiving.Offset));

    /// <summary>The entries say the same as the snapshot: nothing is to be installed, and nothing to be dropped.
    /// </summary>
    private bool IsHereAlready(SnapshotMark mark)
    {
        if (mark.Index > _commit && !_log.Holds(mark.Index, mark.Term))
        {
            return false;
        }
        _receiving = null;
        SnapshotIsHere(mark.Index);
        return true;
    }

    private void SnapshotInstalled(ulong index)
    {
        if (_installing is not { } mark || mark.Index != index)
        {
            return;
        }
        _installing = null;
        _log.ResetTo(mark);
        _writes.ResetTo(mark.Index);
        _commit = mark.Index;
        SnapshotIsHere(mark.Index);
    }

    /// <summary>Whatever a snapshot holds is committed, so every later leader has it too: an acknowledgement up to it
    /// is true in any term.</summary>
    private void SnapshotIsHere(ulong index)
    {
        CommitTo(index);
        AnswerAppliedReads();
        _verified = Math.Max(_verified, _commit);
        if (_leader != 0 && _leader != Id)
        {
            SendWhenDurable(_leader, Acceptance(_commit));
        }
        CheckRecovered();
    }
}
