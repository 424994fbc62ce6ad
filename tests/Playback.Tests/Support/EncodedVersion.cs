using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Hexcast.Contracts.V1;
using Hexcast.Media.Tests.Support;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Playback.Tests.Support;

/// <summary>A clip that ffmpeg makes, really encoded in two renditions and sound, to be played by a browser.</summary>
internal static class EncodedVersion
{
    public const string Version = "0j2qv8v3r0000000000000000e";
    public const int Seconds = 14;

    private static readonly SemaphoreSlim Making = new(1);
    private static LocalTranscode? made;

    /// <param name="segments">Of each rendition, as many as there are yet; null is all.</param>
    public static async Task<VersionIndex> PutAsync(
        PlaybackHost host, string mediaId, string policy = "public", int? segments = null)
    {
        var transcode = await MakeAsync();
        var index = new VersionIndex
        {
            MediaId = mediaId,
            Version = Version,
            Complete = segments is null,
            DurationSeconds = transcode.Index.DurationSeconds,
            TargetDurationSeconds = transcode.Index.TargetDurationSeconds,
            Policy = policy,
            Revision = segments ?? 1000,
            CreatedAt = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
        };
        foreach (var track in transcode.Index.Renditions)
        {
            index.Renditions.Add(await PutAsync(host.Store, mediaId, transcode, track, segments ?? int.MaxValue));
        }

        host.Catalog.Set(index);
        return index;
    }

    /// <summary>English and German subtitles from 2 s to 9 s, and a storyboard of two pictures on a sheet.</summary>
    public static async Task AddExtrasAsync(PlaybackHost host, VersionIndex index)
    {
        foreach (var (language, label, text) in new[]
            { ("en", "English", "Good morning"), ("de", "Deutsch", "Guten Tag") })
        {
            index.Subtitles.Add(new SubtitleTrack
            {
                Id = $"sub-{language}", Language = language, Label = label,
                Text = await PutAsync(host.Store, index.MediaId, $"{language}.vtt", Encoding.UTF8.GetBytes(
                    $"WEBVTT\n\n00:00:02.000 --> 00:00:09.000\n<b>{text}</b> &amp; more\n")),
            });
        }

        var sheet = Path.Combine((await MakeAsync()).Folder, "sheet.jpg");
        await Tool.Run("ffmpeg", ["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=320x90:d=0.04",
            "-frames:v", "1", sheet]);
        index.Storyboard = new StoryboardIndex
        {
            TileWidth = 160, TileHeight = 90, Columns = 2, Rows = 1, StartSeconds = { 0, 6 }, EndSeconds = Seconds,
            Sheets =
            {
                await PutAsync(host.Store, index.MediaId, "sheet-0.jpg", await File.ReadAllBytesAsync(sheet)),
            },
        };
    }

    private static async Task<ObjectRef> PutAsync(IObjectStore store, string mediaId, string name, byte[] bytes)
    {
        var key = ObjectKey.AttemptPrefix(mediaId, Version, "extras", 1) + name;
        await using var writer = await store.CreateAsync(key, CancellationToken.None);
        await writer.WriteAsync(bytes, CancellationToken.None);
        var hash = await writer.CommitAsync(CancellationToken.None);
        return new ObjectRef { Key = key, Length = bytes.Length, Sha256 = ByteString.CopyFrom(hash) };
    }

    private static async Task<RenditionIndex> PutAsync(
        IObjectStore store,
        string mediaId,
        LocalTranscode transcode,
        Media.Manifests.RenditionTrack track,
        int segments)
    {
        var folder = Path.Combine(transcode.Folder, "v1", track.Id);
        var rendition = new RenditionIndex
        {
            Id = track.Id,
            Kind = track.Kind == Media.IsoBmff.TrackKind.Audio ? TrackKind.Audio : TrackKind.Video,
            Codec = track.Codec,
            Width = track.Width,
            Height = track.Height,
            FrameRate = track.FrameRate,
            Channels = track.Channels,
            SampleRateHz = track.SampleRateHz,
            Timescale = track.Timescale,
        };
        var key = $"{ObjectKey.AttemptPrefix(mediaId, Version, "all", 1)}{track.Id}.mp4";
        await using var writer = await store.CreateAsync(key, CancellationToken.None);
        var init = await File.ReadAllBytesAsync(Path.Combine(folder, "init.mp4"));
        await writer.WriteAsync(init, CancellationToken.None);
        rendition.InitLength = init.Length;
        var part = new RenditionPart { ObjectKey = key, FirstSegment = 1 };
        foreach (var segment in track.Segments.Take(segments))
        {
            part.Offsets.Add(writer.Length);
            part.Lengths.Add(segment.LengthBytes);
            part.Starts.Add(segment.StartTicks);
            part.Durations.Add(segment.DurationTicks);
            await writer.WriteAsync(
                await File.ReadAllBytesAsync(Path.Combine(folder, $"{segment.Number}.m4s")), CancellationToken.None);
        }

        part.ObjectLength = writer.Length;
        rendition.Parts.Add(part);
        await writer.CommitAsync(CancellationToken.None);
        return rendition;
    }

    private static async Task<LocalTranscode> MakeAsync()
    {
        await Making.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (made is null)
            {
                var folder = Directory.CreateTempSubdirectory("hexcast-encoded-").FullName;
                AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
                var clip = Path.Combine(folder, "clip.mp4");
                await Tool.Run(
                    "ffmpeg",
                    ["-nostdin", "-v", "error", "-f", "lavfi", "-i", $"testsrc2=s=320x180:r=25:d={Seconds}",
                        "-f", "lavfi", "-i", $"sine=f=440:r=48000:d={Seconds}",
                        "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", clip]);
                made = await LocalTranscode.Run(clip, folder);
            }

            return made;
        }
        finally
        {
            Making.Release();
        }
    }
}
