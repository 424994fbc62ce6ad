namespace Hexcast.Harness;

/// <summary>
/// Uploads a clip and kills the platform at random moments until its media is ready, then checks what must hold of that
/// (<see cref="ReadyMedia"/>).
/// </summary>
public sealed class CrashRun(PlatformProcess platform, string clip, Random random)
{
    // Mostly shorter than a task takes; now and then long enough that a job gets on, also on a busy machine.
    private static readonly TimeSpan ShortLife = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LongLife = TimeSpan.FromSeconds(16);
    private const int LongLifeOneIn = 5;

    private readonly ReadyMedia ready = new(platform, Path.Combine(platform.DataFolder, "objects"));

    public List<string> Finished { get; } = [];

    /// <summary>Takes one upload to `ready` through at most that many kills; answers how many there were.</summary>
    public async Task<int> OneMediaAsync(int mostKills)
    {
        var id = await UploadThroughAKillAsync(killInUpload: mostKills > 1 && random.Next(3) == 0);
        var kills = 0;
        while (kills < mostKills && (string)(await platform.Api.GetAsync(id))["state"]! != "ready")
        {
            var longest = random.Next(LongLifeOneIn) == 0 ? LongLife : ShortLife;
            await Task.Delay(longest * random.NextDouble(), TimeProvider.System);
            await platform.KillAsync();
            await platform.StartAgainAsync();
            kills++;
        }

        await ready.CheckAsync(id, clip);
        Finished.Add(id);
        return Math.Max(kills, 1);
    }

    /// <summary>Once nothing runs, the store holds what the finished media's commits name, and nothing else.</summary>
    public async Task CheckNothingIsLeftAsync()
    {
        await ready.CheckNothingIsLeftAsync(() => Task.FromResult<IEnumerable<string>>(Finished));
        var scratch = Path.Combine(platform.DataFolder, "scratch");
        (Directory.Exists(scratch) ? Directory.GetFileSystemEntries(scratch) : []).ShouldBeEmpty();
    }

    private async Task<string> UploadThroughAKillAsync(bool killInUpload)
    {
        if (!killInUpload)
        {
            return await platform.Api.UploadAsync(clip);
        }

        var bytes = await File.ReadAllBytesAsync(clip);
        using var created = await platform.Api.CreateUploadAsync(bytes.Length, ("filename", "clip.mp4"));
        var location = created.Headers.Location!.ToString();
        var acknowledged = random.Next(1, bytes.Length);
        (await platform.Api.PatchAsync(location, 0, bytes.AsMemory(0, acknowledged)))
            .IsSuccessStatusCode.ShouldBeTrue();
        await platform.KillAsync();
        await platform.StartAgainAsync();
        (await platform.Api.OffsetAsync(location)).ShouldBe(acknowledged, "what was acknowledged is not lost");
        (await platform.Api.PatchAsync(location, acknowledged, bytes.AsMemory(acknowledged)))
            .IsSuccessStatusCode.ShouldBeTrue();
        return location.Split('/')[^1];
    }
}
