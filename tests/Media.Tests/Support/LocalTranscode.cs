using System.Text;
using Hexcast.Media.Ffmpeg;
using Hexcast.Media.IsoBmff;
using Hexcast.Media.Manifests;
using Hexcast.Media.Planning;
using Hexcast.Media.Presets;
using Hexcast.Media.Probing;

namespace Hexcast.Media.Tests.Support;

/// <summary>
/// The whole way from a file to playlists on disk, as a worker goes it, without any of its machinery.
/// </summary>
internal sealed class LocalTranscode
{
    public required SourceProbe Probe { get; init; }
    public required PacketTable Packets { get; init; }
    public required TranscodePlan Plan { get; init; }
    public required VersionIndex Index { get; init; }
    public required string Folder { get; init; }

    public static Preset Small { get; } = new()
    {
        Name = "small",
        Video =
        [
            new VideoRung { Height = 180, MaxBitrateKbps = 600 },
            new VideoRung { Height = 120, MaxBitrateKbps = 300, Profile = "main" },
        ],
    };

    public static async Task<(SourceProbe Probe, PacketTable Packets)> ProbeFile(string path)
    {
        var probe = SourceProbe.Parse(await Tool.Run("ffprobe", ProbeArguments.Streams(path)));
        var table = PacketTable.Parse(
            (await Tool.Run("ffprobe", ProbeArguments.VideoPackets(path, probe.Video!.Index))).AsSpan());
        if (!table.Exact)
        {
            var decoded = await Tool.Run("ffmpeg", ProbeArguments.VideoFrames(path, probe.Video));
            using var frames = new StringReader(decoded);
            table = PacketTable.ParseFrames(frames);
        }
        return (probe, table);
    }

    public static async Task<LocalTranscode> Run(string source, string folder, bool seek = true)
    {
        var (probe, packets) = await ProbeFile(source);
        var plan = TranscodePlan.FromJson(TranscodePlan.Build(probe, packets, Small).ToJson());
        var tracks = plan.Video.ToDictionary(v => v.Id, _ => new Collected(), StringComparer.Ordinal);
        foreach (var chunk in plan.Chunks)
        {
            string Output(string id) => Path.Combine(folder, $"{chunk.Index}-{id}.mp4");
            await Tool.Run("ffmpeg", EncodeArguments.Chunk(plan, chunk, source, Output, seek, threads: 1));
            foreach (var rendition in plan.Video)
            {
                Collect(SegmentAssembler.ForVideo(plan, chunk), Output(rendition.Id), tracks[rendition.Id]);
            }
        }
        if (plan.Audio is { } audio)
        {
            var output = Path.Combine(folder, "sound.mp4");
            await Tool.Run("ffmpeg", EncodeArguments.Audio(plan, source, output));
            Collect(SegmentAssembler.ForAudio(plan), output, tracks[audio.Id] = new Collected());
        }
        var index = new VersionIndex
        {
            Complete = true,
            TargetDurationSeconds = plan.TargetDurationSeconds,
            DurationSeconds = plan.DurationSeconds,
            Renditions = [.. tracks.Select(t => t.Value.ToTrack(t.Key))],
        };
        Write(index, tracks, folder);
        return new LocalTranscode { Probe = probe, Packets = packets, Plan = plan, Index = index, Folder = folder };
    }

    private static void Collect(SegmentAssembler assembler, string file, Collected into)
    {
        // In portions that end anywhere, as a pipe gives them.
        foreach (var portion in File.ReadAllBytes(file).Chunk(7919))
        {
            assembler.Push(portion);
        }
        assembler.Complete().ShouldBeNull();
        into.Add(assembler);
    }

    private static void Write(VersionIndex index, Dictionary<string, Collected> tracks, string folder)
    {
        foreach (var (id, track) in tracks)
        {
            var inner = Directory.CreateDirectory(Path.Combine(folder, "v1", id)).FullName;
            File.WriteAllBytes(Path.Combine(inner, "init.mp4"), track.Init!);
            foreach (var segment in track.Segments)
            {
                File.WriteAllBytes(Path.Combine(inner, $"{segment.Number}.m4s"), segment.Bytes);
            }
            File.WriteAllText(Path.Combine(inner, "index.m3u8"), HlsManifest.Media(index, id));
        }
        File.WriteAllText(
            Path.Combine(folder, "master.m3u8"), HlsManifest.Master(index, id => $"v1/{id}/index.m3u8"));
        File.WriteAllText(Path.Combine(folder, "manifest.mpd"),
            DashManifest.Mpd(index, "v1", "", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch),
            new UTF8Encoding(false));
    }

    internal sealed class Collected
    {
        public byte[]? Init { get; private set; }
        public TrackInit? Track { get; private set; }
        public List<MediaSegment> Segments { get; } = [];

        public void Add(SegmentAssembler assembler)
        {
            (Init ?? assembler.InitSegment!).ShouldBe(assembler.InitSegment, "the header differs between chunks");
            Init = assembler.InitSegment;
            Track = assembler.Track;
            while (assembler.TryTake(out var segment))
            {
                Segments.Add(segment);
            }
        }

        public RenditionTrack ToTrack(string id) => new()
        {
            Id = id,
            Kind = Track!.Kind,
            Codec = Track.Codec,
            Width = Track.Width,
            Height = Track.Height,
            Channels = Track.Channels,
            SampleRateHz = Track.SampleRateHz,
            Timescale = Track.Timescale,
            FrameRate = Segments.Sum(s => s.SampleCount) * (double)Track.Timescale / Segments.Sum(s => s.DurationTicks),
            Segments = [.. Segments.Select(s =>
                new SegmentEntry(s.Number, s.StartTicks, s.DurationTicks, s.Bytes.Length))],
        };
    }
}
