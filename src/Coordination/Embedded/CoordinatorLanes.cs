using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>The two threads that write: one the log, one the snapshots, so that a large snapshot holds up no fsync of
/// the log.</summary>
internal sealed class CoordinatorLanes
{
    private readonly DurableLog _log;
    private readonly Lane<LogWork> _logLane;
    private readonly Lane<SnapshotWork> _snapshotLane;

    public CoordinatorLanes(
        IDisk disk, DurableLog log, TimeProvider clock, Action<CoordinatorEvent> post, Action<Exception> failed)
    {
        _log = log;
        var writer = new LogWriter(log, clock, post);
        var keeper = new SnapshotKeeper(
            disk, post, writer.Offer, index => _logLane!.TryPost(new LogWork.Drop(index)));
        _logLane = new Lane<LogWork>("coordinator log", () => writer.Wait, writer.Take, failed);
        _snapshotLane = new Lane<SnapshotWork>("coordinator snapshots", () => keeper.Wait, keeper.Take, failed);
    }

    public void Start()
    {
        _logLane.Start();
        _snapshotLane.Start();
    }

    public void Save(Snapshot snapshot) => _snapshotLane.TryPost(new SnapshotWork.Save(snapshot));

    public void RememberMembers(IReadOnlyList<SavedMember> members) =>
        _logLane.TryPost(new LogWork.Remember(members));

    /// <summary>What the consensus core wants of its disk.</summary>
    public void Take(RaftEffect effect)
    {
        switch (effect)
        {
            case RaftEffect.Persist persist:
                _logLane.TryPost(new LogWork.Write(persist));
                break;
            case RaftEffect.WriteAgain:
                _logLane.TryPost(new LogWork.WriteAgain());
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
}
