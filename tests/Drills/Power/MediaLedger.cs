using System.Net;
using System.Security.Cryptography;

namespace Hexcast.Drills.Power;

/// <summary>
/// Uploads a clip again and again in small pieces, and remembers what was acknowledged of it, which media are there,
/// and what those that were ready consist of.
/// </summary>
internal sealed class MediaLedger(HexcastApi api, HttpClient http, string clip, Random random)
{
    /// <summary>So small that most losses fall into an upload, and not each round ends one: the jobs pile up.</summary>
    private const int LongestPiece = 2 * 1024;

    private static readonly TimeSpan BeginLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan JobLimit = TimeSpan.FromHours(1);

    private readonly byte[] bytes = File.ReadAllBytes(clip);

    /// <summary>Segments and playlists of what was ready, by their address.</summary>
    private readonly Dictionary<string, string> contents = new(StringComparer.Ordinal);

    private readonly List<string> media = [];
    private readonly HashSet<string> ready = new(StringComparer.Ordinal);
    private volatile bool isBusy;
    private string? location;
    private long acknowledged;
    private long sent;

    public long AcknowledgedBytes { get; private set; }

    public int Media => media.Count;

    public int Ready => ready.Count;

    /// <summary>How often something that was ready was read again after a power loss.</summary>
    public int Compared { get; private set; }

    /// <summary>Before the first power loss: what is ready then has to stay so through all of them.</summary>
    public async Task MakeOneReadyAsync()
    {
        await OnePieceAsync(CancellationToken.None);
        await FinishAsync();
    }

    /// <summary>A piece is acknowledged: the load is on.</summary>
    public Task WaitForLoadAsync() => Wait.ForAsync(
        () => Task.FromResult(isBusy), BeginLimit, () => "no piece of an upload is acknowledged");

    /// <summary>Until the power goes.</summary>
    public async Task UploadAsync(CancellationToken stop)
    {
        isBusy = false;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                await NoteReadyAsync();
                await OnePieceAsync(stop);
                isBusy = true;
            }
        }
        catch (Exception broken) when (broken is HttpRequestException or OperationCanceledException or IOException)
        {
            // The power is gone.
        }
    }

    /// <summary>Everything that was acknowledged, after a power loss.</summary>
    public async Task CheckAsync()
    {
        if (location is not null)
        {
            var offset = await api.OffsetAsync(location);
            if (offset < acknowledged || offset > sent)
            {
                throw new LostException(
                    $"{location} is at {offset}; {acknowledged} were acknowledged and {sent} sent");
            }

            (acknowledged, sent) = (offset, offset);
            NoteIfWhole();
        }

        foreach (var id in media)
        {
            var state = (string)(await api.GetAsync(id))["state"]!;
            if (state == "failed" || (ready.Contains(id) && state != "ready"))
            {
                throw new LostException($"{id} is {state}, ready before: {ready.Contains(id)}");
            }
        }

        foreach (var (address, hash) in contents)
        {
            if (await HashAsync(address) != hash)
            {
                throw new LostException($"{address} is not what it was");
            }
        }

        Compared += ready.Count;
    }

    /// <summary>All of them become ready in the end, with every frame.</summary>
    public async Task FinishAsync()
    {
        while (location is not null)
        {
            await OnePieceAsync(CancellationToken.None);
        }

        await Wait.ForAsync(
            async () =>
            {
                await NoteReadyAsync();
                return ready.Count == media.Count;
            },
            JobLimit, () => $"{ready.Count} of {media.Count} media are ready");
        var frames = await Clips.CountFramesAsync(clip);
        foreach (var id in media)
        {
            (await Clips.CountFramesAsync(new Uri(http.BaseAddress!, $"/play/{id}/master.m3u8").ToString()))
                .ShouldBe(frames, id);
        }
    }

    private async Task OnePieceAsync(CancellationToken stop)
    {
        if (location is null)
        {
            using var created = await api.CreateUploadAsync(bytes.Length, ("filename", "clip.mp4"));
            created.StatusCode.ShouldBe(HttpStatusCode.Created);
            (location, acknowledged, sent) = (created.Headers.Location!.ToString(), 0, 0);
        }

        var length = (int)Math.Min(random.Next(1, LongestPiece), bytes.Length - acknowledged);
        sent = acknowledged + length;
        using var body = new ReadOnlyMemoryContent(bytes.AsMemory((int)acknowledged, length));
        using var answer = await api.PatchAsync(location, acknowledged, body, cancel: stop);
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent, await answer.Content.ReadAsStringAsync(stop));
        acknowledged = sent;
        AcknowledgedBytes += length;
        NoteIfWhole();
    }

    private void NoteIfWhole()
    {
        if (acknowledged == bytes.Length)
        {
            media.Add(location!.Split('/')[^1]);
            location = null;
        }
    }

    private async Task NoteReadyAsync()
    {
        foreach (var id in media.Except(ready).ToList())
        {
            var record = await api.GetAsync(id);
            var state = (string)record["state"]!;
            if (state == "failed")
            {
                throw new InvalidOperationException($"{id} failed: {record["error"]}");
            }

            if (state == "ready")
            {
                foreach (var rendition in record["renditions"]!.AsArray())
                {
                    var folder = $"/play/{id}/{record["version"]}/{rendition!["id"]}/";
                    foreach (var file in await FilesAsync(folder))
                    {
                        contents[folder + file] = await HashAsync(folder + file);
                    }
                }

                ready.Add(id);
            }
        }
    }

    private async Task<IEnumerable<string>> FilesAsync(string folder)
    {
        var playlist = await http.GetStringAsync(folder + "index.m3u8");
        var segments = playlist.Split('\n').Where(line => line.EndsWith(".m4s", StringComparison.Ordinal));
        return ["index.m3u8", "init.mp4", .. segments];
    }

    private async Task<string> HashAsync(string address) =>
        Convert.ToHexString(SHA256.HashData(await http.GetByteArrayAsync(address)));
}
