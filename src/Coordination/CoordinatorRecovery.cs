using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Identity;

namespace Hexcast.Coordination;

/// <summary>What one member has of its group's log.</summary>
/// <param name="Entry">The last one; 0: it has none.</param>
/// <param name="Revision">Of the keys after it.</param>
/// <param name="UnreadableFrom">The log is damaged from this entry on; 0: it is whole.</param>
/// <param name="Owes">It had lost entries before, and not fetched all of them from the others.</param>
/// <param name="Others">Nodes that kept the log too.</param>
/// <param name="IsAlone">They are none, and nothing is damaged: there is nothing to recover from.</param>
public sealed record KeptLog(
    ulong Entry, ulong Term, long Revision, ulong UnreadableFrom, bool Owes, IReadOnlyList<string> Others,
    bool IsAlone);

/// <summary>
/// Lets the group of a coordinator go on with one member alone, the others being lost for good. The node is stopped;
/// the directory is held as long as this is.
/// </summary>
public sealed class CoordinatorRecovery : IDisposable
{
    private readonly FileDisk _disk;
    private readonly MemberRecord? _member;
    private readonly RecoveredLog _log;
    private readonly string _node;
    private readonly bool _isProven;

    private CoordinatorRecovery(string directory, string node, bool isProven)
    {
        (_node, _isProven) = (node, isProven);
        _disk = new FileDisk(directory);
        try
        {
            _member = MemberFile.TryLoad(_disk, out var isDamaged);
            var promised = HardStates.Of(_member?.HardState);
            if (_member is { Founded: false } && promised.Term == 0)
            {
                throw new CoordinatorDataException(
                    $"{node} has never kept the coordinator's log: it only asks those that do. Recover one of them.");
            }
            _log = LogReading.Of(_disk, mustBeThere: promised.Term > 0).Recovered;
            Log = Look(isDamaged, promised.Recovering);
        }
        catch
        {
            _disk.Dispose();
            throw;
        }
    }

    public KeptLog Log { get; }

    /// <param name="dataFolder">Of a node that is stopped.</param>
    /// <param name="identity">Null: its cluster has no certificates.</param>
    /// <exception cref="NodeFailureException">It runs, or it has no log that this version reads.</exception>
    public static CoordinatorRecovery Open(string dataFolder, ClusterIdentity? identity) => Open(
        CoordinationModule.DirectoryIn(dataFolder), identity?.Node ?? "this node", isProven: identity is not null);

    internal static CoordinatorRecovery Open(string directory, string node, bool isProven) =>
        new(directory, node, isProven);

    /// <summary>From now on it is a group of one. Interrupted, it is done again.</summary>
    public void GoOnAlone()
    {
        var id = MemberIdentity.NewId(
            CoordinationModule.ClusterName, _node, Convert.ToHexString(IdSource.NewSecret(16)));
        var alone = GroupOfOne.Of(
            _log, _member, id, MemberIdentity.NewGroup(), _isProven ? Log.Others : []);
        try
        {
            // First under a new name: should it end here, the log still wants the old members, and nobody is elected.
            var isWritten = MemberFile.TrySave(_disk, alone.Member);
            if (isWritten)
            {
                using var log = WriteAheadLog.Open(_disk, out _, mustBeThere: _log.Damage is not null);
                log.CutDamage();
                SnapshotFile.SaveIncoming(_disk, alone.Snapshot);
                log.SetHardState(alone.HardState);
                isWritten = log.TryInstall(alone.Snapshot.Mark);
            }
            if (isWritten)
            {
                return;
            }
        }
        catch (IOException exception) when (StorageFaults.IsFull(exception))
        {
            // As where it is noticed otherwise.
        }
        throw new CoordinatorDataException(
            $"The coordinator is not recovered: {StorageFaults.FullMessage} Then recover it again.");
    }

    public void Dispose() => _disk.Dispose();

    private KeptLog Look(bool isFileDamaged, bool owes)
    {
        var state = GroupOfOne.StateOf(_log);
        var members = GroupOfOne.MembersOf(_log);
        // A node that lost its disk and came back has two ids, and one name.
        var own = _member is null ? null : state.Members.GetValueOrDefault(_member.Id)?.Node;
        var others = state.Members.Values.Concat(_member?.Members ?? [])
            .Select(known => known.Node).Where(node => node != _node && node != own)
            .Distinct().Order(StringComparer.Ordinal).ToList();
        var isAlone = !isFileDamaged && _log.Damage is null && _member is { Founded: true }
            && (members.Count == 0 ? others.Count == 0 : members.Count == 1 && members.IsVoter(_member.Id));
        return new KeptLog(
            _log.LastIndex, GroupOfOne.TermOf(_log, _member), state.Store.Revision, _log.UnreadableFrom, owes, others,
            isAlone);
    }
}
