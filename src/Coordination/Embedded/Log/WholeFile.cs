using Hexcast.Platform.Errors;

namespace Hexcast.Coordination.Embedded.Log;

/// <summary>Files that appear under their name whole and durable, or not at all.</summary>
internal static class WholeFile
{
    public const string TemporarySuffix = ".tmp";

    /// <returns>False if the disk is full: there is no such file.</returns>
    public static bool TryWrite(IDisk disk, string name, ReadOnlySpan<byte> bytes)
    {
        var temporary = name + TemporarySuffix;
        try
        {
            using var file = disk.Create(temporary);
            file.Write(0, bytes);
            file.Sync();
        }
        catch (IOException exception) when (StorageFaults.IsFull(exception))
        {
            disk.Delete(temporary);
            return false;
        }
        // From here on a failure leaves it open whether the name is durable, so that is fatal.
        disk.Rename(temporary, name);
        disk.SyncDirectory();
        return true;
    }

    /// <summary>What a crash left.</summary>
    public static void DeleteUnfinished(IDisk disk)
    {
        foreach (var name in disk.List())
        {
            if (name.EndsWith(TemporarySuffix, StringComparison.Ordinal))
            {
                disk.Delete(name);
            }
        }
    }
}
