using System.Security.Cryptography;
using Hexcast.Platform.ObjectStore;
using Microsoft.Win32.SafeHandles;

namespace Hexcast.Bench;

/// <summary>
/// A file by tus, from the first byte of the PATCH to its answer, which says that the file is hashed, durable and known
/// to the catalogue, against the slower of the two things that nobody can do without: SHA-256 of the same bytes in
/// memory, and writing them to the same disk with one fsync at the end. All of it in turn.
/// </summary>
internal static class UploadBenchmark
{
    private const int BufferBytes = 1 << 20;

    public static async Task<IReadOnlyList<IReport>> RunAsync(Extent extent)
    {
        var bytes = extent.Of(512L << 20, 8L << 20);
        using var folder = new TempFolder();
        await using var platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));
        var buffer = new byte[BufferBytes];
        new Random(1).NextBytes(buffer);
        await UploadAsync(platform, buffer, bytes);
        List<Pair> pairs = [];
        List<double> hashing = [], writing = [], cores = [];
        for (var i = 0; i < extent.Pairs; i++)
        {
            var cpu = ProcessUse.CpuSeconds(platform.ProcessId);
            var ours = await UploadAsync(platform, buffer, bytes);
            cores.Add((ProcessUse.CpuSeconds(platform.ProcessId) - cpu) / (bytes / 1e6 / ours));
            hashing.Add(Hash(buffer, bytes));
            writing.Add(Write(Path.Combine(folder.Path, "raw"), buffer, bytes));
            pairs.Add(new Pair(ours, Math.Min(hashing[^1], writing[^1])));
            Console.Error.WriteLine(
                $"pair {i + 1} of {extent.Pairs}: upload {ours:0}, SHA-256 {hashing[^1]:0}, disk {writing[^1]:0} MB/s");
        }

        return [new Figures(
            "upload", "upload, hashed and durable", "the slower of SHA-256 alone and raw write with fsync", "MB/s",
            Aim.AtLeast(0.9), pairs, [
                $"{Environment.ProcessorCount} cores for server and client together, unpinned; " +
                    $"{bytes >> 20} MiB in one PATCH from a blocking socket",
                $"SHA-256 alone {Figures.Median(hashing):0} MB/s, " +
                    $"raw write with fsync {Figures.Median(writing):0} MB/s",
                $"the server used {Figures.Median(cores):0.00} cores",
            ])];
    }

    private static async Task<double> UploadAsync(PlatformProcess platform, byte[] buffer, long bytes)
    {
        using var created = await platform.Api.CreateUploadAsync(bytes, ("filename", "noise.mp4"));
        var location = created.Headers.Location!.ToString();
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        SocketPatch.Send(platform.Http.BaseAddress!, location, platform.AdminToken, buffer, bytes);
        var rate = bytes / 1e6 / clock.GetElapsedTime(start).TotalSeconds;
        // Noise is no video: what comes of it later would only disturb the next run.
        await platform.Api.WaitForAsync(location.Split('/')[^1], "failed");
        using var removed = await platform.Http.DeleteAsync($"/v1/media/{location.Split('/')[^1]}");
        removed.EnsureSuccessStatusCode();
        return rate;
    }

    private static double Hash(byte[] buffer, long bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        return Rate(bytes, () => hash.AppendData(buffer), () => hash.GetHashAndReset());
    }

    private static double Write(string path, byte[] buffer, long bytes)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        var offset = 0L;
        return Rate(
            bytes,
            () =>
            {
                RandomAccess.Write(file, buffer, offset);
                offset += buffer.Length;
            },
            () => DurableFiles.Sync(file));
    }

    private static double Rate(long bytes, Action step, Action end)
    {
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        for (var done = 0L; done < bytes; done += BufferBytes)
        {
            step();
        }

        end();
        return bytes / 1e6 / clock.GetElapsedTime(start).TotalSeconds;
    }
}
