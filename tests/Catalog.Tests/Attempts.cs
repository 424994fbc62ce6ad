using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Media.IsoBmff;
using Hexcast.Platform.ObjectStore;
using TrackKind = Hexcast.Media.IsoBmff.TrackKind;

namespace Hexcast.Catalog.Tests;

/// <summary>Writes what workers write: media objects and their index, for a source of 4 s segments.</summary>
internal static class Attempts
{
    public const int Timescale = 1000;
    public const int SegmentTicks = 4000;
    private const int InitLength = 16;
    private const int SegmentLength = 100;

    public static readonly string[] Video = ["h264-720", "h264-360"];
    public const string Audio = "aac-128";

    /// <summary>One segment in chunk 0, two in every other.</summary>
    public static PlanSummary Plan(int chunks, bool audio)
    {
        var plan = new PlanSummary
        {
            HasAudio = audio,
            DurationSeconds = 4 + (chunks - 1) * 8,
            TargetDurationSeconds = 4,
            TotalFrames = 100,
            SourceWidth = 1280,
            SourceHeight = 720,
            SourceFrameRate = 25,
            SourceVideoCodec = "h264",
            SourceAudioCodec = audio ? "aac" : "",
            SourceContainer = "mov,mp4",
        };
        plan.ChunkSeconds.Add(4);
        plan.ChunkSeconds.Add(Enumerable.Repeat(8.0, chunks - 1));
        plan.Renditions.Add(Video.Select(id => new PlannedRendition { Id = id, Width = 2, Height = 2 }));
        if (audio)
        {
            plan.Renditions.Add(new PlannedRendition { Id = Audio, Audio = true });
        }

        return plan;
    }

    public static string ChunkTask(int chunk) => $"chunk-{chunk:0000}";

    public static AttemptIndex ChunkIndex(int chunk, int attempt = 1, string init = "init")
    {
        var first = chunk == 0 ? 1 : 2 * chunk;
        return Index(ChunkTask(chunk), attempt, Video, TrackKind.Video, first, chunk == 0 ? 1 : 2, init);
    }

    public static AttemptIndex AudioIndex(int segments, int attempt = 1) =>
        Index("audio", attempt, [Audio], TrackKind.Audio, 1, segments, "init");

    /// <summary>Stores objects and index, and says what the task's commit names.</summary>
    public static async Task<TaskCommitted> StoreAsync(
        IObjectStore objects, string mediaId, string version, AttemptIndex index, int chunk = 0)
    {
        var prefix = ObjectKey.AttemptPrefix(mediaId, version, index.Task, (uint)index.Attempt);
        foreach (var rendition in index.Renditions)
        {
            await PutAsync(objects, prefix + rendition.ObjectName, new byte[rendition.ObjectLength]);
        }

        return new TaskCommitted
        {
            TaskId = index.Task,
            Attempt = (uint)index.Attempt,
            Kind = index.Task == "audio" ? TaskKind.EncodeAudio : TaskKind.EncodeChunk,
            Chunk = chunk,
            Result = await PutAsync(objects, prefix + "index.json", index.ToJson()),
        };
    }

    public static async Task<ObjectRef> PutAsync(IObjectStore objects, string key, byte[] bytes)
    {
        await using var writer = await objects.CreateAsync(key, CancellationToken.None);
        await writer.WriteAsync(bytes, CancellationToken.None);
        var hash = await writer.CommitAsync(CancellationToken.None);
        return new ObjectRef { Key = key, Length = bytes.Length, Sha256 = ByteString.CopyFrom(hash) };
    }

    private static AttemptIndex Index(
        string task, int attempt, string[] ids, TrackKind kind, int first, int count, string init) => new()
        {
            Task = task,
            Attempt = attempt,
            Renditions =
            [
                .. ids.Select(id => new Media.IsoBmff.RenditionIndex
                {
                    Id = id,
                    Kind = kind,
                    Codec = kind == TrackKind.Audio ? "mp4a.40.2" : "avc1.64001f",
                    Width = kind == TrackKind.Audio ? 0 : 1280,
                    Height = kind == TrackKind.Audio ? 0 : 720,
                    FrameRate = kind == TrackKind.Audio ? 0 : 24.9,
                    Channels = kind == TrackKind.Audio ? 2 : 0,
                    SampleRateHz = kind == TrackKind.Audio ? 48_000 : 0,
                    Timescale = Timescale,
                    InitOffset = 0,
                    InitLength = InitLength,
                    InitSha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id + init))),
                    ObjectName = id + ".mp4",
                    ObjectSha256 = new string('0', 64),
                    ObjectLength = InitLength + count * SegmentLength,
                    FirstSegmentNumber = first,
                    Segments =
                    [
                        .. Enumerable.Range(0, count).Select(i => new SegmentIndex
                        {
                            Number = first + i,
                            Offset = InitLength + i * SegmentLength,
                            Length = SegmentLength,
                            Start = (first - 1 + i) * SegmentTicks,
                            Duration = SegmentTicks,
                        }),
                    ],
                }),
            ],
        };
}
