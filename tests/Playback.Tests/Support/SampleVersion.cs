using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Hexcast.Contracts.V1;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Playback.Tests.Support;

/// <summary>
/// A version of two parts with one video and one audio rendition. Its bytes are noise: what is served is compared, not
/// played.
/// </summary>
internal sealed class SampleVersion
{
    public const string Version = "0j2qv8v3r0000000000000000v";
    public const string Video = "h264-360", Audio = "aac-128";
    private const int InitLength = 700, SegmentsAPart = 2;
    private const int Timescale = 1000, SegmentTicks = 4000;

    private readonly Dictionary<string, byte[]> objects = new(StringComparer.Ordinal);

    private SampleVersion(string mediaId, VersionIndex index)
    {
        MediaId = mediaId;
        Index = index;
    }

    public string MediaId { get; }

    public VersionIndex Index { get; }

    public string Root => $"/play/{MediaId}/";

    public string Path(string file, string rendition = Video) => $"{Root}{Version}/{rendition}/{file}";

    public byte[] Init(string rendition = Video) => Bytes(rendition, part: 0, 0, InitLength);

    /// <summary>The bytes of segment 1 to 4.</summary>
    public byte[] Segment(int number, string rendition = Video)
    {
        var part = Index.Renditions.Single(r => r.Id == rendition).Parts[(number - 1) / SegmentsAPart];
        var i = (number - 1) % SegmentsAPart;
        return objects[part.ObjectKey].AsSpan((int)part.Offsets[i], (int)part.Lengths[i]).ToArray();
    }

    public static async Task<SampleVersion> PutAsync(
        PlaybackHost host, string policy = "public", bool complete = true, int parts = 2)
    {
        var mediaId = PlaybackHost.NewMediaId();
        var sample = new SampleVersion(mediaId, new VersionIndex
        {
            MediaId = mediaId,
            Version = Version,
            Complete = complete,
            DurationSeconds = 16,
            TargetDurationSeconds = 4,
            Policy = policy,
            Tenant = "default",
            Title = "A sample",
            Revision = parts,
            CreatedAt = Timestamp.FromDateTimeOffset(host.Clock.GetUtcNow()),
        });
        sample.Index.Renditions.Add(await sample.RenditionAsync(host.Store, Video, TrackKind.Video, parts));
        sample.Index.Renditions.Add(await sample.RenditionAsync(host.Store, Audio, TrackKind.Audio, parts));
        var poster = ObjectKey.AttemptPrefix(mediaId, Version, "poster", 1) + "poster.jpg";
        sample.Index.Poster = new ObjectRef { Key = poster, Length = 5000 };
        sample.Index.Poster.Sha256 = ByteString.CopyFrom(await sample.WriteAsync(host.Store, poster, 5000));
        if (complete)
        {
            await sample.AddExtrasAsync(host.Store);
        }

        host.Catalog.Set(sample.Index);
        host.Catalog.Set(new MediaRecord
        {
            MediaId = mediaId,
            State = complete ? MediaState.Ready : MediaState.Playable,
            Title = "A sample",
            Filename = "sample.mp4",
            Policy = policy,
            Version = Version,
            RowVersion = 1,
        });
        return sample;
    }

    public byte[] Poster => objects[Index.Poster.Key];

    public byte[] Sheet(int number) => objects[Index.Storyboard.Sheets[number].Key];

    public byte[] Text(int track) => objects[Index.Subtitles[track].Text.Key];

    private async Task AddExtrasAsync(IObjectStore store)
    {
        Index.Storyboard = new StoryboardIndex
        {
            TileWidth = 160, TileHeight = 90, Columns = 1, Rows = 1, StartSeconds = { 0, 2 }, EndSeconds = 16,
            Sheets = { await ObjectAsync("storyboard", "sheet-0.jpg"), await ObjectAsync("storyboard", "sheet-1.jpg") },
        };
        Index.Subtitles.Add(new SubtitleTrack
        {
            Id = "sub-en", Language = "en", Label = "English", IsDefault = true,
            Text = await ObjectAsync("subtitles", "sub-en.vtt"),
        });

        async Task<ObjectRef> ObjectAsync(string task, string name)
        {
            var key = ObjectKey.AttemptPrefix(MediaId, Version, task, 1) + name;
            var hash = await WriteAsync(store, key, 4_000 + name.Length);
            return new ObjectRef { Key = key, Length = 4_000 + name.Length, Sha256 = ByteString.CopyFrom(hash) };
        }
    }

    private async Task<RenditionIndex> RenditionAsync(IObjectStore store, string id, TrackKind kind, int parts)
    {
        var video = kind == TrackKind.Video;
        var rendition = new RenditionIndex
        {
            Id = id,
            Kind = kind,
            Codec = video ? "avc1.64001e" : "mp4a.40.2",
            Width = video ? 640 : 0,
            Height = video ? 360 : 0,
            FrameRate = video ? 25 : 0,
            Channels = video ? 0 : 2,
            SampleRateHz = video ? 0 : 48000,
            Timescale = Timescale,
            InitOffset = 0,
            InitLength = InitLength,
        };
        for (var part = 0; part < parts; part++)
        {
            rendition.Parts.Add(await PartAsync(store, id, part));
        }

        return rendition;
    }

    private async Task<RenditionPart> PartAsync(IObjectStore store, string id, int number)
    {
        var key = $"{ObjectKey.AttemptPrefix(MediaId, Version, $"chunk-{number:d4}", 1)}{id}.mp4";
        var part = new RenditionPart { ObjectKey = key, FirstSegment = 1 + (number * SegmentsAPart) };
        long offset = InitLength;
        for (var i = 0; i < SegmentsAPart; i++)
        {
            // Lengths that no buffer's size divides.
            var length = 150_001 + (37 * (part.FirstSegment + i));
            part.Offsets.Add(offset);
            part.Lengths.Add(length);
            part.Starts.Add((part.FirstSegment - 1 + i) * (long)SegmentTicks);
            part.Durations.Add(SegmentTicks);
            offset += length;
        }

        part.ObjectLength = offset;
        await WriteAsync(store, key, offset);
        return part;
    }

    private async Task<byte[]> WriteAsync(IObjectStore store, string key, long length)
    {
        var bytes = new byte[length];
        new Random(key.GetHashCode(StringComparison.Ordinal)).NextBytes(bytes);
        objects[key] = bytes;
        await using var writer = await store.CreateAsync(key, TestContext.Current.CancellationToken);
        await writer.WriteAsync(bytes, TestContext.Current.CancellationToken);
        return await writer.CommitAsync(TestContext.Current.CancellationToken);
    }

    private byte[] Bytes(string rendition, int part, int offset, int length) =>
        objects[Index.Renditions.Single(r => r.Id == rendition).Parts[part].ObjectKey].AsSpan(offset, length).ToArray();
}
