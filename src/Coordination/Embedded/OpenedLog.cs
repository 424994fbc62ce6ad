using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Embedded;

/// <summary>A member's disk as a start finds it.</summary>
/// <param name="UnreadableFrom">Entries from here on are damaged and are fetched from the others; 0: none.</param>
internal sealed record OpenedLog(DurableLog Log, Recovery Recovery, ulong UnreadableFrom)
{
    /// <exception cref="CoordinatorDataException">Something acknowledged may be missing, and nobody else has it.
    /// </exception>
    public static OpenedLog Open(IDisk disk, MemberRecord record, ILogger logger)
    {
        var mustBeThere = HardStates.Of(record.HardState).Term > 0;
        var log = WriteAheadLog.Open(disk, out var recovered, mustBeThere: mustBeThere);
        try
        {
            if (recovered.TornBytes > 0)
            {
                logger.LogWarning(
                    "Cut {Bytes} bytes off the coordinator's log: their write was interrupted, nobody was told of it",
                    recovered.TornBytes);
            }
            if (recovered.Damage is { } damage)
            {
                if (MemberFile.IsAlone(record))
                {
                    throw damage;
                }
                logger.LogError(
                    "The coordinator's log is damaged from entry {Entry} on. This member fetches it from the others " +
                    "again and does not vote before it has it: {Damage}",
                    recovered.UnreadableFrom, damage.Message);
            }
            // Of a group that has more members, one that lost everything does not even know that it belongs to it.
            var alone = record.Founded && (MemberFile.IsAlone(record) || recovered.Damage is null)
                ? Members.Of([record.Id])
                : Members.None;
            var recovery = Recovery.Of(recovered, Newer(recovered.HardState, HardStates.Of(record.HardState)), alone);
            return new OpenedLog(
                new DurableLog(disk, log, record, recovered.Damage is not null), recovery, recovered.UnreadableFrom);
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Two copies, written one after the other.</summary>
    private static HardState Newer(HardState log, HardState file)
    {
        var newer = log.Term > file.Term || (log.Term == file.Term && file.Vote == 0) ? log : file;
        // Cleared in the log first; while one of them says so, it may not be whole.
        return newer with { Recovering = file.Recovering };
    }
}
