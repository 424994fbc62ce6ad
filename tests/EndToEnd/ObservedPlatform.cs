namespace Hexcast.EndToEnd;

/// <summary>A platform on which one clip has gone the whole way, so that everything has been counted once.</summary>
public sealed class ObservedPlatform : IAsyncLifetime
{
    private static readonly string[] Late =
        ["worker_cpu_load", "dotnet_gc_heap_size_bytes", "dotnet_exceptions_total", "playback_first_plays_total"];

    private readonly TempFolder folder = new();
    private PlatformProcess? platform;

    internal PlatformProcess Platform => platform!;

    internal string MediaId { get; private set; } = "";

    internal string Folder => folder.Path;

    internal static string Sources { get; } = Path.GetFullPath(
        Path.Combine(Path.GetDirectoryName(PlatformProcess.AppPath)!, "../../../../..", "deploy/observability"));

    internal async Task<Exposition> ScrapeAsync() => new(await Platform.Http.GetStringAsync("/metrics"));

    public async ValueTask InitializeAsync()
    {
        platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 3);
        MediaId = await platform.Api.UploadAsync(clip);
        var media = await platform.Api.WaitForAsync(MediaId, "ready");
        var version = (string)media["version"]!;
        var rendition = (string)media["renditions"]![0]!["id"]!;
        var track = $"{version}/{rendition}";
        foreach (var name in (string[])["master.m3u8", $"{track}/init.mp4", $"{track}/1.m4s"])
        {
            using var answer = await platform.Http.GetAsync($"/play/{MediaId}/{name}");
            answer.EnsureSuccessStatusCode();
        }

        // Some figures come with the first heartbeat, the first garbage collection and the first exception.
        await Wait.ForAsync(
            async () => await ScrapeAsync() is var metrics && Late.All(metrics.Has), TimeSpan.FromSeconds(60),
            () => $"not all of {string.Join(", ", Late)} came");
    }

    public async ValueTask DisposeAsync()
    {
        if (platform is not null)
        {
            await platform.DisposeAsync();
        }

        folder.Dispose();
    }
}
