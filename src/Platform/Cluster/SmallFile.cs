using Hexcast.Platform.ObjectStore;

namespace Hexcast.Platform.Cluster;

/// <summary>Files of an identity: read within a limit, and secrets readable by nobody else.</summary>
internal static class SmallFile
{
    public static byte[] Read(string path, int limitBytes)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length > limitBytes)
        {
            throw new IOException($"{path} is larger than {limitBytes} bytes.");
        }

        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Replaced as a whole, and never readable by others in between.</summary>
    public static void WriteSecret(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = ClusterIdentity.OwnerOnly,
        };
        using (var file = new FileStream(temporary, options))
        {
            file.Write(bytes);
            DurableFiles.Sync(file);
        }

        DurableFiles.Move(temporary, path);
    }
}
