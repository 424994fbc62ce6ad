using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Identity;

namespace Hexcast.Coordination;

/// <summary>What one member has of its group's log.</summary>
/// <param name="Entry">The last one; 0: it has none.</param>
/// <param name="Term">Of that entry, not the highest that the member has heard of: what is committed is in the log that
/// ends in the highest term, and of these in the longest, as in an election.</param>
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
    private readonly IDisk _disk;
    private readonly MemberRecord? _member;
    private readonly RecoveredLog _log;
    private readonly string _node;
    private readonly bool _isProven;

    /// <exception cref="CoordinatorDataException">It has no log that this version reads.</exception>
    internal CoordinatorRecovery(IDisk disk, string node, bool isProven)
    {
        (_disk, _node, _isProven) = (disk, node, isProven);
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

    public KeptLog Log { get; }

    /// <param name="dataFolder">Of a node that is stopped.</param>
    /// <param name="identity">Null: its cluster has no certificates.</param>
    /// <exception cref="NodeFailureException">It runs, or it has no log that this version reads.</exception>
    public static CoordinatorRecovery Open(string dataFolder, ClusterIdentity? identity) => Open(
        CoordinationModule.DirectoryIn(dataFolder), identity?.Node ?? "this node", isProven: identity is not null);

    internal static CoordinatorRecovery Open(string directory, string node, bool isProven)
    {
        var disk = new FileDisk(directory);
        try
        {
            return new CoordinatorRecovery(disk, node, isProven);
        }
        catch
        {
            disk.Dispose();
            throw;
        }
    }

    /// <summary>From now on it is a group of one. Where it is interrupted nothing starts on what it leaves, until it is
    /// done again.</summary>
    public void GoOnAlone()
    {
        var id = MemberIdentity.NewId(
            CoordinationModule.ClusterName, _node, Convert.ToHexString(IdSource.NewSecret(16)));
        var alone = GroupOfOne.Of(
            _log, _member, id, MemberIdentity.NewGroup(), _isProven ? Log.Others : []);
        try
        {
            if (TryWrite(alone))
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

    public void Dispose() => (_disk as IDisposable)?.Dispose();

    /// <returns>False if the disk is full.</returns>
    private bool TryWrite(GroupOfOne alone)
    {
        // First the mark: between the damage that is cut off and the snapshot in its place, what is left could pass for
        // the whole log of a member that was always alone, and its revisions would come again.
        var begun = (_member ?? alone.Member).Clone();
        begun.GoingAlone = true;
        if (!MemberFile.TrySave(_disk, begun))
        {
            return false;
        }
        using (var log = WriteAheadLog.Open(_disk, out _, mustBeThere: _log.Damage is not null))
        {
            log.CutDamage();
            SnapshotFile.SaveIncoming(_disk, alone.Snapshot);
            log.SetHardState(alone.HardState);
            if (!log.TryInstall(alone.Snapshot.Mark))
            {
                return false;
            }
        }
        return MemberFile.TrySave(_disk, alone.Member);
    }

    private KeptLog Look(bool isFileDamaged, bool owes)
    {
        var state = GroupOfOne.StateOf(_log);
        var members = GroupOfOne.MembersOf(_log);
        var known = state.Members.Values.Concat(_member?.Members ?? []).ToList();
        // A node that lost its disk and came back has two ids, and one name.
        var own = known.Find(member => member.Id == _member?.Id)?.Node;
        var others = known
            .Select(member => member.Node).Where(node => node != _node && node != own)
            .Distinct().Order(StringComparer.Ordinal).ToList();
        var isAlone = !isFileDamaged && _log.Damage is null && _member is { Founded: true, GoingAlone: false }
            && (members.Count == 0 ? others.Count == 0 : members.Count == 1 && members.IsVoter(_member.Id));
        return new KeptLog(
            _log.LastIndex, _log.LastTerm, state.Store.Revision, _log.UnreadableFrom, owes, others, isAlone);
    }
}
