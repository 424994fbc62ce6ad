using System.Net;
using System.Text.Json.Nodes;

namespace Hexcast.Harness.Faults;

/// <summary>A node with one folder on a small disk of its own, and rounds in which that has no space for a while.
/// </summary>
public sealed class FullDisk : IAsyncDisposable
{
    private const string DiskSize = "100m";
    private const int BlockBytes = 64 * 1024;

    private static readonly TimeProvider Clock = TimeProvider.System;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly PlatformProcess platform;
    private readonly string folder;
    private readonly string clip;
    private readonly string code;

    /// <summary>Made while there was space, and to be played at all times.</summary>
    private readonly string media;
    private readonly int frames;

    private FullDisk(PlatformProcess platform, string folder, string clip, string media, int frames)
    {
        (this.platform, this.folder, this.clip, this.media, this.frames) = (platform, folder, clip, media, frames);
        code = folder == "scratch" ? "scratch_full" : "storage_full";
    }

    /// <param name="data">Of the node.</param>
    /// <param name="folder">What lies on the small disk: scratch or objects.</param>
    public static async Task<FullDisk> StartAsync(string data, string folder)
    {
        var source = $"{data}.mp4";
        await Clips.MakeStandardAsync(source, seconds: 4);
        var node = await PlatformProcess.StartAsync(data, (folder, DiskSize));
        var before = await node.Api.UploadAsync(source);
        await node.Api.WaitForAsync(before, "ready");
        return new FullDisk(node, folder, source, before, await Clips.CountFramesAsync(source));
    }

    /// <summary>A job is under way when the disk is full, and a file is uploaded then: both wait or are refused by
    /// name, what is there is played, and all of it is done once there is space.</summary>
    /// <returns>From there being space until both are ready.</returns>
    public async Task<TimeSpan> RoundAsync()
    {
        var under = await platform.Api.UploadAsync(clip);
        var ballast = FillUp(platform, folder);
        var bytes = await File.ReadAllBytesAsync(clip);
        using var created = await platform.Api.CreateUploadAsync(bytes.Length, ("filename", "clip.mp4"));
        created.StatusCode.ShouldBe(HttpStatusCode.Created);
        var location = created.Headers.Location!.ToString();
        using var sent = await platform.Api.PatchAsync(location, 0, bytes);
        if (sent.StatusCode != HttpStatusCode.NoContent)
        {
            sent.StatusCode.ShouldBe(HttpStatusCode.InsufficientStorage);
            (await sent.Content.ReadAsStringAsync()).ShouldContain("storage_full");
        }

        await WaitsAsync(under);
        await PlaysAsync(media);

        File.Delete(ballast);
        var start = Clock.GetTimestamp();
        if (sent.StatusCode != HttpStatusCode.NoContent)
        {
            var offset = await platform.Api.OffsetAsync(location);
            using var rest = await platform.Api.PatchAsync(location, offset, bytes.AsMemory((int)offset));
            rest.StatusCode.ShouldBe(HttpStatusCode.NoContent, await rest.Content.ReadAsStringAsync());
        }

        string[] waited = [under, location.Split('/')[^1]];
        foreach (var one in waited)
        {
            await platform.Api.WaitForAsync(one, "ready");
        }

        var took = Clock.GetElapsedTime(start);
        foreach (var one in waited)
        {
            await PlaysAsync(one);
            using var gone = await platform.Http.DeleteAsync($"/v1/media/{one}");
            gone.EnsureSuccessStatusCode();
        }

        return took;
    }

    public ValueTask DisposeAsync() => platform.DisposeAsync();

    /// <returns>The file that takes up the space.</returns>
    public static string FillUp(PlatformProcess platform, string folder, int leftBytes = 0)
    {
        var path = Path.Combine(platform.Inside(folder), "ballast");
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[BlockBytes];
        try
        {
            while (true)
            {
                file.Write(block);
            }
        }
        catch (IOException)
        {
            file.SetLength(Math.Max(0, file.Length - leftBytes));
        }

        return path;
    }

    /// <summary>It has found no space, and says so, and has not failed.</summary>
    private Task WaitsAsync(string id) => Wait.ForAsync(
        async () =>
        {
            var now = await platform.Api.GetAsync(id);
            ((string)now["state"]!).ShouldNotBeOneOf("ready", "failed");
            return now["job"]?["tasks"]?.AsArray().Any(task => (string?)task!["failure"]?["code"] == code) == true;
        },
        Limit, () => $"no task of {id} says {code}:\n{platform.Log}");

    private async Task PlaysAsync(string id)
    {
        var manifest = new Uri(platform.Http.BaseAddress!, $"/play/{id}/master.m3u8");
        (await Clips.CountFramesAsync(manifest.ToString())).ShouldBe(frames);
    }
}
