using System.Globalization;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>A media with its job, as the API answers it.</summary>
internal static class SampleMedia
{
    private const int InitLength = 800;

    public const int Chunks = 240;
    public const string Title =
        "Recording of the whole conference, first day, from the camera at the back of the hall";

    private static readonly DateTimeOffset Start = TimeProvider.System.GetUtcNow().AddMinutes(-4);

    public static JsonObject Json(
        string mediaId, string state, JsonArray tasks, Action<JsonObject>? change = null)
    {
        var media = new JsonObject
        {
            ["media_id"] = mediaId, ["state"] = state, ["title"] = Title, ["filename"] = "A001_C003_1122.mov",
            ["tags"] = new JsonArray("conference", "day one"), ["policy"] = "public", ["preset"] = "ladder_h264_aac",
            ["size_bytes"] = 9_483_300_000, ["sha256"] = new string('7', 64), ["row_version"] = 3,
            ["created_at"] = At(-2), ["playable_at"] = At(4), ["ready_at"] = null, ["version"] = null,
            ["error"] = null, ["renditions"] = new JsonArray(), ["poster"] = false,
            ["source"] = new JsonObject
            {
                ["container"] = "mov,mp4", ["video_codec"] = "h264", ["audio_codec"] = "aac", ["width"] = 3840,
                ["height"] = 2160, ["frame_rate"] = 25.0, ["duration_seconds"] = 5760.0, ["frames"] = 144_000,
            },
            ["job"] = new JsonObject { ["job_id"] = "job", ["state"] = "running", ["tasks"] = tasks },
        };
        change?.Invoke(media);
        return media;
    }

    public static JsonArray Renditions() =>
    [
        new JsonObject
        {
            ["id"] = "hevc-2160-main10-high-tier", ["kind"] = "video", ["codec"] = "hvc1.2.4.H153.B0.00.00.00.00.00",
            ["width"] = 3840, ["height"] = 2160, ["frame_rate"] = 29.97, ["average_bitrate"] = 24_000_000,
            ["peak_bitrate"] = 36_500_000, ["size_bytes"] = 17_280_000_000, ["segments"] = 1440,
        },
        new JsonObject
        {
            ["id"] = "aac-128", ["kind"] = "audio", ["codec"] = "mp4a.40.2", ["channels"] = 2,
            ["sample_rate_hz"] = 48_000, ["average_bitrate"] = 128_000, ["peak_bitrate"] = 131_000,
            ["size_bytes"] = 92_160_000, ["segments"] = 1440,
        },
    ];

    // Two workers, four seconds a part.
    public static JsonArray Tasks(int done, int running, int chunks = Chunks)
    {
        var tasks = new JsonArray(Job("probe", "probe", "committed", 0, 1, []));
        for (var i = 0; i < chunks; i++)
        {
            var state = i < done ? "committed" : i < done + running ? "running" : "ready";
            tasks.Add(Job($"chunk-{i:d4}", "encode_chunk", state, 2 + (4 * (i / 2)), 4, ["probe"], $"worker-{i % 2}"));
        }

        tasks.Add(Job("audio", "encode_audio", "ready", 0, 0, ["probe"]));
        tasks.Add(Job("poster", "poster", "committed", 1, 0.6, ["probe"], "worker-2"));
        tasks.Add(Job("publish", "publish", "pending", 0, 0, ["audio", "poster", "probe", "chunk-0000"]));
        return tasks;
    }

    public static JsonArray Ended(int chunks)
    {
        var tasks = Tasks(done: chunks, running: 0, chunks);
        foreach (var task in tasks.Where(t => (string)t!["state"]! != "committed"))
        {
            (task!["state"], task["node_id"], task["fraction"]) = ("committed", "worker-1", 1.0);
            (task["attempts"], task["started_at"], task["ended_at"]) = (1, At(2), At(5));
        }

        return tasks;
    }

    /// <summary>The ninth part of twelve, in ffmpeg's words.</summary>
    public static (JsonArray Tasks, JsonNode Failure) Failed()
    {
        var tasks = Tasks(done: 8, running: 0, chunks: 12);
        var failed = tasks.Single(t => (string)t!["task_id"]! == "chunk-0008")!;
        (failed["state"], failed["attempts"]) = ("failed", 3);
        (failed["started_at"], failed["ended_at"]) = (At(20), At(24));
        failed["failure"] = new JsonObject
        {
            ["code"] = "tool_failed", ["message"] = "ffmpeg ended with 1: <b>Invalid data</b>",
            ["log_tail"] = "[h264 @ 0x1] error while decoding MB 41 22\nConversion failed!",
        };
        return (tasks, failed["failure"]!.DeepClone());
    }

    public static JsonObject Job(
        string id, string kind, string state, double from, double seconds, string[] needs, string node = "worker-0") =>
        new()
        {
            ["task_id"] = id, ["kind"] = kind, ["state"] = state, ["attempt"] = 1,
            ["attempts"] = state == "ready" ? 0 : 1,
            ["node_id"] = state is "ready" or "pending" ? "" : node,
            ["fraction"] = state switch { "committed" => 1, "running" => 0.4, _ => 0 },
            ["speed"] = state == "running" ? 2.1 : 0,
            ["needs"] = new JsonArray([.. needs.Select(n => (JsonNode)n)]),
            ["started_at"] = state is "ready" or "pending" ? null : At(from),
            ["ended_at"] = state == "committed" ? At(from + seconds) : null,
            ["failure"] = null,
        };

    public static string At(double seconds) =>
        Start.AddSeconds(seconds).ToString("yyyy-MM-ddTHH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>What the renditions of <see cref="Measured"/> are measured from.</summary>
    public static VersionIndex Index(string mediaId) => new()
    {
        MediaId = mediaId, Version = "0j2qv8v3r0000000000000000e", Complete = true, Policy = "public",
        DurationSeconds = 12, TargetDurationSeconds = 4,
        Renditions =
        {
            new RenditionIndex
            {
                Id = "aac-128", Kind = TrackKind.Audio, Codec = "mp4a.40.2", Channels = 2, SampleRateHz = 44_100,
                Timescale = 44_100, InitLength = InitLength, Parts = { Part(176_400, 64_000, 64_000, 64_000) },
            },
            new RenditionIndex
            {
                Id = "h264-720", Kind = TrackKind.Video, Codec = "avc1.64001f", Width = 1280, Height = 720,
                FrameRate = 30_000 / 1001.0, Timescale = 90_000, InitLength = InitLength,
                Parts = { Part(360_000, 3_000_000, 4_500_000, 3_000_000) },
            },
        },
    };

    public static JsonArray Measured() =>
    [
        new JsonObject
        {
            ["id"] = "aac-128", ["kind"] = "audio", ["codec"] = "mp4a.40.2", ["channels"] = 2,
            ["sample_rate_hz"] = 44_100, ["average_bitrate"] = 128_000, ["peak_bitrate"] = 128_000,
            ["size_bytes"] = 192_000, ["segments"] = 3,
        },
        new JsonObject
        {
            ["id"] = "h264-720", ["kind"] = "video", ["codec"] = "avc1.64001f", ["width"] = 1280, ["height"] = 720,
            ["frame_rate"] = 29.97, ["average_bitrate"] = 7_000_000, ["peak_bitrate"] = 9_000_000,
            ["size_bytes"] = 10_500_000, ["segments"] = 3,
        },
    ];

    /// <summary>The job within the API's answer, as the master tells it.</summary>
    public static Job JobOf(JsonObject media)
    {
        var job = new Job { JobId = "job", MediaId = (string)media["media_id"]! };
        foreach (var task in media["job"]!["tasks"]!.AsArray())
        {
            job.Tasks.Add(new JobTask
            {
                TaskId = (string)task!["task_id"]!, Kind = Named<TaskKind>(task["kind"]),
                State = Named<TaskState>(task["state"]), Attempt = (uint)(int)task["attempt"]!,
                Attempts = (uint)(int)task["attempts"]!, NodeId = (string)task["node_id"]!,
                Fraction = (double)task["fraction"]!, Speed = (double)task["speed"]!,
                Needs = { task["needs"]!.AsArray().Select(id => (string)id!) },
                StartedAt = Time(task["started_at"]), EndedAt = Time(task["ended_at"]),
                LastFailure = Failure(task["failure"]),
            });
        }

        job.Failure = Failure(media["error"]);
        return job;
    }

    private static TaskFailure? Failure(JsonNode? json) => json is null ? null : new TaskFailure
    {
        Code = (string)json["code"]!, Message = (string)json["message"]!, LogTail = (string)json["log_tail"]!,
    };

    private static T Named<T>(JsonNode? name) where T : struct, System.Enum =>
        System.Enum.Parse<T>(((string)name!).Replace("_", "", StringComparison.Ordinal), ignoreCase: true);

    public static Timestamp? Time(JsonNode? time) => time is null
        ? null
        : Timestamp.FromDateTimeOffset(DateTimeOffset.Parse((string)time!, CultureInfo.InvariantCulture));

    private static RenditionPart Part(int ticks, params long[] lengths) => new()
    {
        FirstSegment = 1,
        ObjectKey = $"media/{lengths[0]}.mp4",
        ObjectLength = InitLength + lengths.Sum(),
        Offsets = { lengths.Select((_, i) => InitLength + lengths.Take(i).Sum()) },
        Lengths = { lengths },
        Starts = { lengths.Select((_, i) => (long)i * ticks) },
        Durations = { lengths.Select(_ => (long)ticks) },
    };
}
