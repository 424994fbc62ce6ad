using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>What is written to the log, in its order.</summary>
internal abstract record LogWork
{
    public sealed record Write(RaftEffect.Persist Persist) : LogWork;

    /// <summary>What the disk had no space for, the core does not take back.</summary>
    public sealed record WriteAgain : LogWork;

    public sealed record Drop(ulong SnapshotIndex) : LogWork;

    public sealed record Install(SnapshotMark Mark) : LogWork;

    public sealed record Remember(IReadOnlyList<SavedMember> Members) : LogWork;
}

/// <summary>
/// One fsync for all that waits. On a full disk nothing is tried before the core has said what becomes of it: it may
/// have told somebody that it was not written.
/// </summary>
internal sealed class LogWriter(DurableLog log, TimeProvider clock, Action<CoordinatorEvent> post)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Handed over and not durable yet.</summary>
    private readonly List<RaftEffect.Persist> _unwritten = [];

    /// <summary>There was no space, and the core has not answered yet.</summary>
    private bool _isRefused;

    /// <summary>To be installed as soon as there is space, and what.</summary>
    private SnapshotMark? _uninstalled;
    private volatile Snapshot? _incoming;

    /// <summary>How long it may wait for more work.</summary>
    public TimeSpan Wait => (_unwritten.Count > 0 && !_isRefused) || _uninstalled is not null
        ? RetryInterval
        : TimeSpan.MaxValue;

    /// <summary>A snapshot that is whole and durable under its temporary name. By any thread.</summary>
    public void Offer(Snapshot incoming) => _incoming = incoming;

    /// <param name="work">In its order: a snapshot replaces what was written before it.</param>
    public void Take(IReadOnlyList<LogWork> work)
    {
        var isAgain = false;
        foreach (var one in work)
        {
            switch (one)
            {
                case LogWork.Write write:
                    _unwritten.Add(write.Persist);
                    _isRefused &= write.Persist.TruncateFrom == 0;
                    break;
                case LogWork.WriteAgain:
                    (_isRefused, isAgain) = (false, true);
                    break;
                case LogWork.Drop drop:
                    log.DropBefore(drop.SnapshotIndex);
                    break;
                case LogWork.Install install:
                    Write();
                    _uninstalled = install.Mark;
                    break;
                case LogWork.Remember remember:
                    log.RememberMembers(remember.Members);
                    break;
            }
        }
        if (!isAgain)
        {
            Write();
        }
        Install();
    }

    private void Write()
    {
        if (_unwritten.Count == 0 || _isRefused)
        {
            return;
        }
        var started = clock.GetTimestamp();
        var stored = log.TryPersist(_unwritten);
        CoordinationTelemetry.NoteSync(
            clock.GetElapsedTime(started), _unwritten.Sum(write => write.Entries.Count), stored);
        if (stored)
        {
            post(new CoordinatorEvent.ForRaft(new RaftEvent.Persisted(_unwritten[^1].Sequence)));
            _unwritten.Clear();
            return;
        }
        _isRefused = true;
        post(new CoordinatorEvent.ForRaft(new RaftEvent.WriteRefused()));
    }

    private void Install()
    {
        if (_uninstalled is { } mark && _incoming is { } snapshot && _unwritten.Count == 0 && log.TryInstall(mark))
        {
            (_uninstalled, _incoming) = (null, null);
            post(new CoordinatorEvent.SnapshotInstalled(snapshot));
        }
    }
}
