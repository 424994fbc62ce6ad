using System.Text.Json.Nodes;

namespace Hexcast.Harness;

/// <summary>
/// What must hold of media that are ready: each segment is named once, every rendition and the sound can be decoded
/// from end to end and have every frame, and the store holds no object that nothing names.
/// </summary>
/// <param name="platform">With the catalogue and the players' pages.</param>
/// <param name="objects">The folder of the store.</param>
public sealed class ReadyMedia(PlatformProcess platform, string objects)
{
    /// <summary>By which an encoder's delay and the last frame's padding make sound longer.</summary>
    private const int SoundFramesMore = 3;

    private static readonly TimeSpan QuietLimit = TimeSpan.FromSeconds(30);

    // An attempt's index, and the objects beside it that it names.
    private static readonly (string File, Func<JsonNode, IEnumerable<string>> Names)[] Indexes =
    [
        ("index.json", json => json["renditions"]!.AsArray().Select(rendition => (string)rendition!["objectName"]!)),
        ("storyboard.json", json => json["sheets"]!.AsArray().Select(sheet => (string)sheet!["name"]!)),
        ("subtitles.json", json => json["tracks"]!.AsArray().Select(track => (string)track!["file"]!["name"]!)),
    ];

    private readonly Dictionary<string, (int Pictures, int Sounds)> sources = new(StringComparer.Ordinal);
    private readonly HashSet<string> counted = new(StringComparer.Ordinal);
    private readonly HashSet<string> named = new(StringComparer.Ordinal);

    /// <summary>Waits until it is ready.</summary>
    /// <param name="id">Of the media.</param>
    /// <param name="source">Its file, with sound.</param>
    public async Task CheckAsync(string id, string source)
    {
        var media = await platform.Api.WaitForAsync(id, "ready");
        var renditions = media["renditions"]!.AsArray();
        foreach (var rendition in renditions)
        {
            var playlist = await platform.Http.GetStringAsync(
                $"/play/{id}/{media["version"]}/{rendition!["id"]}/index.m3u8");
            var segments = playlist.Split('\n')
                .Where(line => line.EndsWith(".m4s", StringComparison.Ordinal)).ToArray();
            segments.ShouldBeUnique();
            segments.Length.ShouldBe((int)rendition["segments"]!);
        }

        var (pictures, sounds) = await FramesOfAsync(source);
        var played = await Clips.DecodeAsync(
            new Uri(platform.Http.BaseAddress!, $"/play/{id}/master.m3u8").ToString());
        played.Count.ShouldBe(renditions.Count, id);
        foreach (var stream in played)
        {
            var (least, most) = stream.Kind == "video" ? (pictures, pictures) : (sounds, sounds + SoundFramesMore);
            stream.Frames.ShouldBeInRange(least, most, $"{stream.Kind} of {id}");
        }
    }

    /// <summary>Once nothing runs, the store holds what the media's commits name, and nothing else.</summary>
    /// <param name="ids">Of all media that there are; each becomes ready.</param>
    public async Task CheckNothingIsLeftAsync(Func<Task<IEnumerable<string>>> ids)
    {
        string[] strays = [];
        await Wait.ForAsync(
            async () =>
            {
                foreach (var id in (await ids()).Where(counted.Add))
                {
                    named.UnionWith(await NamedObjectsAsync(id));
                }

                strays = ObjectsBelow("").Except(named).ToArray();
                return strays.Length == 0;
            },
            QuietLimit,
            () => $"objects that nothing names: {string.Join(", ", strays)}");
    }

    private async Task<(int Pictures, int Sounds)> FramesOfAsync(string source)
    {
        if (!sources.TryGetValue(source, out var frames))
        {
            var streams = await Clips.DecodeAsync(source);
            frames = (Frames("video"), Frames("audio"));
            sources.Add(source, frames);

            int Frames(string kind) => streams.Single(stream => stream.Kind == kind).Frames;
        }

        return frames;
    }

    // The source; and of each task the one attempt that committed: its index, what the index names, or its one result.
    private async Task<IReadOnlyList<string>> NamedObjectsAsync(string id)
    {
        var media = await platform.Api.WaitForAsync(id, "ready");
        List<string> names = [$"sources/{id}"];
        foreach (var task in media["job"]!["tasks"]!.AsArray())
        {
            ((string)task!["state"]!).ShouldBe("committed");
            var prefix = $"media/{id}/{media["version"]}/{task["task_id"]}-{task["attempt"]}/";
            var index = Indexes.SingleOrDefault(index => File.Exists(Path.Combine(objects, prefix + index.File)));
            if (index.File is not null)
            {
                var json = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(objects, prefix + index.File)))!;
                names.Add(prefix + index.File);
                names.AddRange(index.Names(json).Select(name => prefix + name));
            }
            else
            {
                var results = ObjectsBelow(prefix).ToArray();
                results.Length.ShouldBeLessThanOrEqualTo(1, prefix);
                names.AddRange(results);
            }
        }

        return names;
    }

    private IEnumerable<string> ObjectsBelow(string prefix)
    {
        var folder = new DirectoryInfo(Path.Combine(objects, prefix));
        return folder.Exists
            ? folder.EnumerateFiles("*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(objects, file.FullName))
            : [];
    }
}
