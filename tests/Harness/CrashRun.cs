using System.Text.Json.Nodes;

namespace Hexcast.Harness;

/// <summary>
/// Uploads a clip and kills the platform at random moments until its media is ready, then checks what must hold:
/// every segment is named once, every frame is there, and the store holds no object that nothing names.
/// </summary>
public sealed class CrashRun(PlatformProcess platform, string clip, Random random)
{
    // Mostly shorter than a task takes; now and then long enough that a job gets on, also on a busy machine.
    private static readonly TimeSpan ShortLife = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LongLife = TimeSpan.FromSeconds(16);
    private const int LongLifeOneIn = 5;
    private static readonly TimeSpan QuietLimit = TimeSpan.FromSeconds(30);

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

        var media = await platform.Api.WaitForAsync(id, "ready");
        await CheckAsync(id, media);
        Finished.Add(id);
        return Math.Max(kills, 1);
    }

    /// <summary>Once nothing runs, the store holds what the finished media's commits name, and nothing else.</summary>
    public async Task CheckNothingIsLeftAsync()
    {
        string[] strays = [];
        await Wait.ForAsync(
            async () =>
            {
                var named = new HashSet<string>(StringComparer.Ordinal);
                foreach (var id in Finished)
                {
                    named.UnionWith(await NamedObjectsAsync(id));
                }

                strays = ObjectsBelow("").Except(named).ToArray();
                return strays.Length == 0;
            },
            QuietLimit,
            () => $"objects that nothing names: {string.Join(", ", strays)}");
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

    private async Task CheckAsync(string id, JsonObject media)
    {
        foreach (var rendition in media["renditions"]!.AsArray())
        {
            var playlist = await platform.Http.GetStringAsync(
                $"/play/{id}/{media["version"]}/{rendition!["id"]}/index.m3u8");
            var segments = playlist.Split('\n')
                .Where(line => line.EndsWith(".m4s", StringComparison.Ordinal)).ToArray();
            segments.ShouldBeUnique();
            segments.Length.ShouldBe((int)rendition["segments"]!);
        }

        var frames = await Clips.CountFramesAsync(clip);
        var hls = new Uri(platform.Http.BaseAddress!, $"/play/{id}/master.m3u8").ToString();
        (await Clips.CountFramesAsync(hls)).ShouldBe(frames);
    }

    // The source; and of each task the one attempt that committed: its index, what the index names, or its one result.
    private async Task<IReadOnlyList<string>> NamedObjectsAsync(string id)
    {
        var media = await platform.Api.GetAsync(id);
        List<string> named = [$"sources/{id}"];
        foreach (var task in media["job"]!["tasks"]!.AsArray())
        {
            ((string)task!["state"]!).ShouldBe("committed");
            var prefix = $"media/{id}/{media["version"]}/{task["task_id"]}-{task["attempt"]}/";
            var index = Indexes.SingleOrDefault(index => File.Exists(Path.Combine(Objects, prefix + index.File)));
            if (index.File is not null)
            {
                var json = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Objects, prefix + index.File)))!;
                named.Add(prefix + index.File);
                named.AddRange(index.Names(json).Select(name => prefix + name));
            }
            else
            {
                var results = ObjectsBelow(prefix).ToArray();
                results.Length.ShouldBeLessThanOrEqualTo(1, prefix);
                named.AddRange(results);
            }
        }

        return named;
    }

    // An attempt's index, and the objects beside it that it names.
    private static readonly (string File, Func<JsonNode, IEnumerable<string>> Names)[] Indexes =
    [
        ("index.json", json => json["renditions"]!.AsArray().Select(rendition => (string)rendition!["objectName"]!)),
        ("storyboard.json", json => json["sheets"]!.AsArray().Select(sheet => (string)sheet!["name"]!)),
        ("subtitles.json", json => json["tracks"]!.AsArray().Select(track => (string)track!["file"]!["name"]!)),
    ];

    private string Objects => Path.Combine(platform.DataFolder, "objects");

    private IEnumerable<string> ObjectsBelow(string prefix)
    {
        var folder = new DirectoryInfo(Path.Combine(Objects, prefix));
        return folder.Exists
            ? folder.EnumerateFiles("*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Objects, file.FullName))
            : [];
    }
}
