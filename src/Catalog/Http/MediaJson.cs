using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Hexcast.Catalog.Subtitles;
using Hexcast.Catalog.Versions;
using Hexcast.Contracts.V1;
using Microsoft.Data.Sqlite;

namespace Hexcast.Catalog.Http;

/// <summary>A media as the HTTP API shows it.</summary>
internal static class MediaJson
{
    public static JsonObject Describe(MediaRow media, SqliteConnection connection)
    {
        // While nothing plays, what the job has made so far.
        var shown = media.Version ?? media.JobId;
        var version = shown is null ? null : VersionTable.Find(connection, shown);
        var uploaded = SubtitleTable.Of(connection, media.MediaId);
        var tracks = SubtitleTracks.Merge(uploaded, version?.Subtitles?.Tracks ?? []);
        return new JsonObject
        {
            ["media_id"] = media.MediaId,
            ["state"] = media.State.Name(),
            ["title"] = media.Title,
            ["filename"] = media.Filename,
            ["tags"] = new JsonArray([.. media.Tags.Select(tag => (JsonNode)tag)]),
            ["policy"] = media.Policy,
            ["tenant"] = media.Tenant,
            ["preset"] = media.Preset,
            ["size_bytes"] = media.SizeBytes,
            ["sha256"] = Convert.ToHexStringLower(media.Sha256),
            ["created_at"] = Time(media.CreatedAt),
            ["updated_at"] = Time(media.UpdatedAt),
            ["playable_at"] = Time(media.PlayableAt),
            ["ready_at"] = Time(media.ReadyAt),
            ["row_version"] = media.RowVersion,
            ["version"] = media.Version,
            ["error"] = media.Error is not { } error ? null : new JsonObject
            {
                ["code"] = error.Code,
                ["message"] = error.Message,
                ["log_tail"] = error.LogTail,
            },
            ["source"] = media.SourceJson is null ? null : JsonNode.Parse(media.SourceJson),
            ["renditions"] = version is null ? new JsonArray() : JsonNode.Parse(version.RenditionsJson),
            ["poster"] = version is { HasPoster: true },
            ["storyboard"] = version is { HasStoryboard: true },
            ["subtitles"] = new JsonArray(
            [
                .. tracks.Select(track => (JsonNode)new JsonObject
                {
                    ["id"] = track.Id,
                    ["language"] = track.Language,
                    ["label"] = track.Label,
                    ["default"] = track.IsDefault,
                    ["forced"] = track.IsForced,
                    ["uploaded"] = uploaded.Any(t => t.Id == track.Id),
                }),
            ]),
            ["skipped_subtitles"] = new JsonArray(
            [
                .. (version?.Subtitles?.Skipped ?? []).Select(left => (JsonNode)new JsonObject
                {
                    ["codec"] = left.Codec, ["language"] = left.Language, ["reason"] = left.Reason,
                }),
            ]),
            ["watch_url"] = $"/watch/{media.MediaId}",
        };
    }

    public static JsonObject Describe(Job job) => new()
    {
        ["job_id"] = job.JobId,
        ["state"] = Name(job.State.ToString()),
        ["tasks"] = Describe(job.Tasks),
    };

    public static JsonArray Describe(IEnumerable<JobTask> tasks) => new(
    [
        .. tasks.Select(task => (JsonNode)new JsonObject
        {
            ["task_id"] = task.TaskId,
            ["kind"] = Name(task.Kind.ToString()),
            ["state"] = Name(task.State.ToString()),
            ["attempt"] = task.Attempt,
            ["node_id"] = task.NodeId,
            ["fraction"] = Math.Round(task.Fraction, 4),
            ["speed"] = Math.Round(task.Speed, 3),
            ["needs"] = new JsonArray([.. task.Needs.Select(need => (JsonNode)need)]),
            ["started_at"] = Time(task.StartedAt),
            ["ended_at"] = Time(task.EndedAt),
            ["attempts"] = task.Attempts,
            ["failure"] = task.LastFailure is not { } failure ? null : new JsonObject
            {
                ["code"] = failure.Code,
                ["message"] = failure.Message,
                ["log_tail"] = failure.LogTail,
            },
        }),
    ]);

    private static string? Time(Timestamp? time) => Time(time?.ToDateTimeOffset().ToUnixTimeMilliseconds());

    private static string Name(string enumMember) => JsonNamingPolicy.SnakeCaseLower.ConvertName(enumMember);

    private static string? Time(long? millis) => millis is null
        ? null
        : DateTimeOffset.FromUnixTimeMilliseconds(millis.Value).ToString("yyyy-MM-ddTHH:mm:ss.fffZ");
}
