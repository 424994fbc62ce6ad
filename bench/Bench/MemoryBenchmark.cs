using System.Buffers.Binary;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Hexcast.Bench;

/// <summary>
/// The memory of the server's process alone (ffmpeg's is bounded by its own): under 200 viewers at playing speed, 20
/// uploads and a transcode at once, and after one small and one large upload, each on a server of its own.
/// </summary>
internal static class MemoryBenchmark
{
    private const int LimitMebibytes = 300;
    private const int SegmentSeconds = 4;
    private static readonly TimeSpan SampleInterval = TimeSpan.FromMilliseconds(200);

    public static async Task<IReadOnlyList<IReport>> RunAsync(Extent extent)
    {
        using var folder = new TempFolder();
        var tiny = Path.Combine(folder.Path, "tiny.mp4");
        await Clips.MakeStandardAsync(tiny, seconds: 2, size: "320x180");
        var head = await File.ReadAllBytesAsync(tiny);
        var loaded = await UnderLoadAsync(Path.Combine(folder.Path, "load"), head, extent);
        var small = extent.Of(100L << 20, 4L << 20);
        var large = extent.Of(4L << 30, 32L << 20);
        var afterSmall = await AfterUploadAsync(Path.Combine(folder.Path, "small"), head, small);
        var afterLarge = await AfterUploadAsync(Path.Combine(folder.Path, "large"), head, large);
        return [new MemoryFigures(LimitMebibytes, loaded, small, afterSmall, large, afterLarge)];
    }

    private static async Task<LoadFigures> UnderLoadAsync(string dataFolder, byte[] tiny, Extent extent)
    {
        var viewers = extent.Of(200, 20);
        var uploaders = extent.Of(20, 4);
        var duration = extent.Of(TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(3));
        var size = extent.Of("1920x1080", "640x360");
        await using var platform = await PlatformProcess.StartAsync(dataFolder);
        var clip = dataFolder + ".mp4";
        await BenchClip.MakeAsync(clip, seconds: extent.Of(20, 2), size);
        var watched = await platform.Api.WaitForAsync(await platform.Api.UploadAsync(clip, 64 << 20), "ready");
        await BenchClip.MakeAsync(clip, seconds: extent.Of(180, 8), size);
        var transcoded = await platform.Api.UploadAsync(clip, 64 << 20);
        using var end = new CancellationTokenSource(duration);
        var load = new Load(platform, tiny, end.Token);
        Task[] running = [
            .. Enumerable.Range(0, viewers).Select(n => load.WatchAsync(watched, new Random(n))),
            .. Enumerable.Range(0, uploaders).Select(n => load.UploadAsync(extent.Of(100L << 20, 4L << 20))),
        ];
        var samples = new List<double>();
        var encoding = 0;
        using var sample = new PeriodicTimer(SampleInterval);
        while (!running.All(one => one.IsCompleted) && await sample.WaitForNextTickAsync(CancellationToken.None))
        {
            samples.Add(ProcessUse.ResidentMebibytes(platform.ProcessId));
            var state = (string)(await platform.Api.GetAsync(transcoded))["state"]!;
            encoding += state is "processing" or "playable" ? 1 : 0;
        }

        await Task.WhenAll(running);
        return new LoadFigures(
            viewers, uploaders, duration.TotalSeconds, ProcessUse.PeakMebibytes(platform.ProcessId),
            Figures.Median(samples), samples[^1], (double)encoding / samples.Count, load.Segments, load.Bytes,
            load.Uploads);
    }

    private static async Task<double> AfterUploadAsync(string dataFolder, byte[] tiny, long bytes)
    {
        await using var platform = await PlatformProcess.StartAsync(dataFolder);
        using var created = await platform.Api.CreateUploadAsync(bytes, ("filename", "padded.mp4"));
        var location = created.Headers.Location!.ToString();
        using var answer = await platform.Api.PatchAsync(location, 0, Padded(tiny, bytes));
        answer.EnsureSuccessStatusCode();
        await platform.Api.WaitForAsync(location.Split('/')[^1], "ready");
        return ProcessUse.PeakMebibytes(platform.ProcessId);
    }

    /// <summary>
    /// A short video that is as large as wanted: the rest is a box that readers skip (ISO 14496-12, 8.1.2).
    /// </summary>
    private static RepeatedContent Padded(byte[] tiny, long bytes, TimeSpan pause = default)
    {
        var head = new byte[tiny.Length + 16];
        tiny.CopyTo(head, 0);
        var box = head.AsSpan(tiny.Length);
        BinaryPrimitives.WriteUInt32BigEndian(box, 1);
        Encoding.ASCII.GetBytes("free", box[4..]);
        BinaryPrimitives.WriteUInt64BigEndian(box[8..], (ulong)(bytes - tiny.Length));
        return new RepeatedContent(new byte[1 << 20], bytes, head) { Pause = pause };
    }

    private sealed class Load(PlatformProcess platform, byte[] tiny, CancellationToken end)
    {
        /// <summary>1 MiB each: 4 MiB/s, a good line of a home.</summary>
        private static readonly TimeSpan BetweenBuffers = TimeSpan.FromMilliseconds(250);

        private long segments, bytes, uploads;

        public long Segments => Interlocked.Read(ref segments);

        public long Bytes => Interlocked.Read(ref bytes);

        public long Uploads => Interlocked.Read(ref uploads);

        /// <summary>Plays one rendition round and round, a segment each time one has been played.</summary>
        public async Task WatchAsync(JsonNode media, Random random)
        {
            var renditions = media["renditions"]!.AsArray().Where(r => (string)r!["kind"]! == "video").ToList();
            var rendition = renditions[random.Next(renditions.Count)]!;
            var root = $"/play/{media["media_id"]}";
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * SegmentSeconds), TimeProvider.System, end);
                await platform.Http.GetByteArrayAsync($"{root}/master.m3u8", end);
                await platform.Http.GetByteArrayAsync(
                    $"{root}/{media["version"]}/{rendition["id"]}/index.m3u8", end);
                for (var n = 0; ; n++)
                {
                    var segment = await platform.Http.GetByteArrayAsync(
                        $"{root}/{media["version"]}/{rendition["id"]}/{n % (int)rendition["segments"]! + 1}.m4s", end);
                    Interlocked.Increment(ref segments);
                    Interlocked.Add(ref bytes, segment.Length);
                    await Task.Delay(TimeSpan.FromSeconds(SegmentSeconds), TimeProvider.System, end);
                }
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                // The time is over.
            }
        }

        public async Task UploadAsync(long size)
        {
            try
            {
                while (true)
                {
                    using var created = await platform.Api.CreateUploadAsync(size, ("filename", "padded.mp4"));
                    var location = created.Headers.Location!.ToString();
                    using var answer = await platform.Api.PatchAsync(
                        location, 0, Padded(tiny, size, BetweenBuffers), cancel: end);
                    answer.EnsureSuccessStatusCode();
                    Interlocked.Increment(ref uploads);
                }
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                // The time is over.
            }
        }
    }
}
