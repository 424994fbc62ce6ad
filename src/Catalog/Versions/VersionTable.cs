using Dapper;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Microsoft.Data.Sqlite;

namespace Hexcast.Catalog.Versions;

/// <summary>A version and how far its job's events have been applied.</summary>
internal sealed record VersionRow(
    string Version, string MediaId, bool Following, long Cursor, bool HasPoster, bool HasStoryboard,
    StoredSubtitles? Subtitles, IReadOnlyList<RenditionFacts> Renditions, long CreatedAt, bool Played);

internal static class VersionTable
{
    /// <summary>From here on it is followed, also when an order has led to a version that is there already.</summary>
    public static void Add(CatalogTransaction write, string version, string mediaId)
    {
        write.Connection.Execute(
            """
            INSERT INTO version (version, media_id, stage, following, cursor, created_at)
            VALUES (@version, @mediaId, @stage, 1, 0, @Now) ON CONFLICT (version) DO UPDATE SET following = 1
            """,
            new { version, mediaId, stage = nameof(VersionStage.Processing), write.Now },
            write.Transaction);
        write.VersionsTouched = true;
    }

    public static VersionRow? Find(SqliteConnection connection, string version, SqliteTransaction? transaction = null)
    {
        var flat = connection.QuerySingleOrDefault<Flat>(
            """
            SELECT version AS Version, media_id AS MediaId, following AS Following, cursor AS Cursor,
                poster_key IS NOT NULL AS HasPoster, renditions_json AS RenditionsJson, created_at AS CreatedAt,
                first_played_at IS NOT NULL AS Played,
                EXISTS (SELECT 1 FROM version_part WHERE version = @version AND kind = @storyboard) AS HasStoryboard,
                (SELECT part FROM version_part WHERE version = @version AND kind = @subtitles) AS Subtitles
            FROM version WHERE version = @version
            """,
            new { version, storyboard = (int)TaskKind.Storyboard, subtitles = (int)TaskKind.Subtitles },
            transaction);
        return flat is null ? null : new VersionRow(
            flat.Version, flat.MediaId, flat.Following != 0, flat.Cursor, flat.HasPoster != 0, flat.HasStoryboard != 0,
            flat.Subtitles is null ? null : StoredPart.Parser.ParseFrom(flat.Subtitles).Subtitles,
            StoredJson.Read<List<RenditionFacts>>(flat.RenditionsJson), flat.CreatedAt, flat.Played != 0);
    }

    public static IReadOnlyList<string> Followed(SqliteConnection connection) =>
        [.. connection.Query<string>("SELECT version FROM version WHERE following = 1 ORDER BY version")];

    public static void Follow(CatalogTransaction write, string version, bool following)
    {
        write.Connection.Execute(
            "UPDATE version SET following = @following WHERE version = @version",
            new { version, following },
            write.Transaction);
        write.VersionsTouched |= following;
    }

    /// <returns>False when it has been played before, or is gone.</returns>
    public static bool NotePlay(CatalogTransaction write, string version) => write.Connection.Execute(
        "UPDATE version SET first_played_at = @Now WHERE version = @version AND first_played_at IS NULL",
        new { version, write.Now },
        write.Transaction) == 1;

    public static VersionComposition LoadComposition(SqliteConnection connection, string version)
    {
        var state = connection.QuerySingle<FlatState>(
            """
            SELECT stage AS Stage, plan AS Plan, poster_key AS PosterKey, poster_length AS PosterLength,
                poster_sha256 AS PosterSha256 FROM version WHERE version = @version
            """,
            new { version });
        var parts = connection.Query<FlatPart>(
            """
            SELECT task_id AS TaskId, kind AS Kind, chunk AS Chunk, attempt AS Attempt, part AS Part
            FROM version_part WHERE version = @version
            """,
            new { version });
        var composition = new VersionComposition(Enum.Parse<VersionStage>(state.Stage));
        composition.Restore(
            state.Plan is null ? null : PlanSummary.Parser.ParseFrom(state.Plan),
            parts.Select(part => new CompositionEffect.SavePart(
                part.TaskId, (TaskKind)part.Kind, (int)part.Chunk, (int)part.Attempt,
                StoredPart.Parser.ParseFrom(part.Part))),
            state.PosterKey is null ? null : new ObjectRef
            {
                Key = state.PosterKey,
                Length = state.PosterLength ?? 0,
                Sha256 = ByteString.CopyFrom(state.PosterSha256 ?? []),
            });
        return composition;
    }

    public static void Save(CatalogTransaction write, string version, CompositionEffect effect)
    {
        switch (effect)
        {
            case CompositionEffect.SavePlan plan:
                Set("plan = @plan", new { version, plan = plan.Plan.ToByteArray() });
                break;
            case CompositionEffect.SavePart part:
                write.Connection.Execute(
                    """
                    INSERT OR REPLACE INTO version_part (version, task_id, kind, chunk, attempt, part)
                    VALUES (@version, @TaskId, @kind, @Chunk, @Attempt, @bytes)
                    """,
                    new
                    {
                        version,
                        part.TaskId,
                        kind = (int)part.Kind,
                        part.Chunk,
                        part.Attempt,
                        bytes = part.Part.ToByteArray(),
                    },
                    write.Transaction);
                break;
            case CompositionEffect.SavePoster poster:
                Set("poster_key = @Key, poster_length = @Length, poster_sha256 = @hash", new
                {
                    version,
                    poster.Image.Key,
                    poster.Image.Length,
                    hash = poster.Image.Sha256.ToByteArray(),
                });
                break;
            case CompositionEffect.Enter enter:
                Set("stage = @stage", new { version, stage = enter.Stage.ToString() });
                break;
            case CompositionEffect.StopFollowing:
                Follow(write, version, following: false);
                break;
        }

        void Set(string columns, object values) => write.Connection.Execute(
            $"UPDATE version SET {columns} WHERE version = @version", values, write.Transaction);
    }

    public static void Advance(
        CatalogTransaction write, string version, long cursor, IReadOnlyList<RenditionFacts> renditions) =>
        write.Connection.Execute(
            "UPDATE version SET cursor = @cursor, renditions_json = @renditionsJson WHERE version = @version",
            new { version, cursor, renditionsJson = StoredJson.Write(renditions) },
            write.Transaction);

    private sealed class Flat
    {
        public string Version { get; init; } = "";
        public string MediaId { get; init; } = "";
        public long Following { get; init; }
        public long Cursor { get; init; }
        public long HasPoster { get; init; }
        public long HasStoryboard { get; init; }
        public byte[]? Subtitles { get; init; }
        public string RenditionsJson { get; init; } = "[]";
        public long CreatedAt { get; init; }
        public long Played { get; init; }
    }

    private sealed class FlatState
    {
        public string Stage { get; init; } = "";
        public byte[]? Plan { get; init; }
        public string? PosterKey { get; init; }
        public long? PosterLength { get; init; }
        public byte[]? PosterSha256 { get; init; }
    }

    private sealed class FlatPart
    {
        public string TaskId { get; init; } = "";
        public long Kind { get; init; }
        public long Chunk { get; init; }
        public long Attempt { get; init; }
        public byte[] Part { get; init; } = [];
    }
}
