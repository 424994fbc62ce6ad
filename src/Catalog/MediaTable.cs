using System.Text.Json;
using Dapper;
using Hexcast.Contracts.V1;
using Microsoft.Data.Sqlite;

namespace Hexcast.Catalog;

/// <summary>Reads and writes media rows. A write keeps tags, search index, row version and changes in step.</summary>
internal static class MediaTable
{
    private const int FindLimit = 200;
    private const string Columns = """
        id AS Id, media_id AS MediaId, state AS State, title AS Title, filename AS Filename, tags AS Tags,
        policy AS Policy, tenant AS Tenant, preset AS Preset, class AS Class, traceparent AS Traceparent,
        size_bytes AS SizeBytes,
        sha256 AS Sha256, source_key AS SourceKey, created_at AS CreatedAt, updated_at AS UpdatedAt,
        playable_at AS PlayableAt, ready_at AS ReadyAt, row_version AS RowVersion, job_id AS JobId, version AS Version,
        source_json AS SourceJson, duration_seconds AS DurationSeconds, error_code AS ErrorCode,
        error_message AS ErrorMessage, error_log AS ErrorLog
        """;

    public static MediaRow? Find(SqliteConnection connection, string mediaId, SqliteTransaction? transaction = null) =>
        connection.QuerySingleOrDefault<Flat>(
            $"SELECT {Columns} FROM media WHERE media_id = @mediaId", new { mediaId }, transaction)?.ToRow();

    /// <summary>Those that are there, newest first.</summary>
    public static IReadOnlyList<MediaRow> Find(SqliteConnection connection, IEnumerable<string> mediaIds) =>
    [
        .. connection.Query<Flat>(
            $"SELECT {Columns} FROM media WHERE media_id IN @mediaIds ORDER BY media_id DESC LIMIT @limit",
            new { mediaIds = mediaIds.Take(FindLimit), limit = FindLimit })
            .Select(flat => flat.ToRow()),
    ];

    public static bool IsDeleted(
        SqliteConnection connection, string mediaId, SqliteTransaction? transaction = null) =>
        connection.ExecuteScalar<long>(
            "SELECT count(*) FROM change WHERE media_id = @mediaId AND deleted = 1", new { mediaId }, transaction) > 0;

    /// <summary>Newest first; only those older than <paramref name="before"/> where it is given.</summary>
    public static IReadOnlyList<MediaRow> List(
        SqliteConnection connection, MediaFilter filter, string? before, int limit)
    {
        var where = new List<string>();
        if (filter.Match is not null)
        {
            where.Add("id IN (SELECT rowid FROM media_fts WHERE media_fts MATCH @Match)");
        }

        if (filter.State is not null)
        {
            where.Add("state = @State");
        }

        if (filter.Tags.Count > 0)
        {
            where.Add("""
                (SELECT count(*) FROM media_tag t WHERE t.media_id = media.media_id AND t.tag IN @Tags) = @TagCount
                """);
        }

        if (filter.Tenant is not null)
        {
            where.Add("tenant = @Tenant");
        }

        if (before is not null)
        {
            where.Add("media_id < @before");
        }

        var condition = where.Count == 0 ? "" : "WHERE " + string.Join(" AND ", where);
        return
        [
            .. connection.Query<Flat>(
                $"SELECT {Columns} FROM media {condition} ORDER BY media_id DESC LIMIT @limit",
                new
                {
                    filter.Match, filter.State, filter.Tenant, filter.Tags, TagCount = filter.Tags.Count, before, limit,
                })
                .Select(flat => flat.ToRow()),
        ];
    }

    public static void Insert(SqliteConnection connection, SqliteTransaction transaction, MediaRow row)
    {
        var id = connection.ExecuteScalar<long>(
            """
            INSERT INTO media (
                media_id, state, title, filename, tags, policy, tenant, preset, class, traceparent, size_bytes,
                sha256, source_key, created_at, updated_at, row_version)
            VALUES (
                @MediaId, @State, @Title, @Filename, @Tags, @Policy, @Tenant, @Preset, @Class, @Traceparent, @SizeBytes,
                @Sha256, @SourceKey, @CreatedAt, @UpdatedAt, @RowVersion) RETURNING id
            """,
            Flat.Of(row),
            transaction);
        Index(connection, transaction, row with { Id = id });
    }

    public static void Update(SqliteConnection connection, SqliteTransaction transaction, MediaRow row)
    {
        connection.Execute(
            """
            UPDATE media SET state = @State, title = @Title, tags = @Tags, policy = @Policy, updated_at = @UpdatedAt,
                playable_at = @PlayableAt, ready_at = @ReadyAt, row_version = @RowVersion, job_id = @JobId,
                version = @Version, source_json = @SourceJson, duration_seconds = @DurationSeconds,
                error_code = @ErrorCode, error_message = @ErrorMessage, error_log = @ErrorLog
            WHERE id = @Id
            """,
            Flat.Of(row),
            transaction);
    }

    public static void Index(SqliteConnection connection, SqliteTransaction transaction, MediaRow row)
    {
        connection.Execute("DELETE FROM media_fts WHERE rowid = @Id", new { row.Id }, transaction);
        connection.Execute(
            "INSERT INTO media_fts (rowid, title, filename, tags) VALUES (@Id, @Title, @Filename, @Tags)",
            new { row.Id, row.Title, row.Filename, Tags = string.Join('\n', row.Tags) },
            transaction);
        connection.Execute("DELETE FROM media_tag WHERE media_id = @MediaId", new { row.MediaId }, transaction);
        connection.Execute(
            "INSERT INTO media_tag (tag, media_id) VALUES (@tag, @MediaId)",
            row.Tags.Select(tag => new { tag, row.MediaId }),
            transaction);
    }

    public static void Delete(SqliteConnection connection, SqliteTransaction transaction, MediaRow row)
    {
        connection.Execute("DELETE FROM media_fts WHERE rowid = @Id", new { row.Id }, transaction);
        connection.Execute("DELETE FROM media WHERE id = @Id", new { row.Id }, transaction);
    }

    /// <summary>The columns as SQLite has them.</summary>
    private sealed class Flat
    {
        public long Id { get; init; }
        public string MediaId { get; init; } = "";
        public string State { get; init; } = "";
        public string Title { get; init; } = "";
        public string Filename { get; init; } = "";
        public string Tags { get; init; } = "[]";
        public string Policy { get; init; } = "";
        public string Tenant { get; init; } = "";
        public string Preset { get; init; } = "";
        public string Class { get; init; } = "";
        public string Traceparent { get; init; } = "";
        public long SizeBytes { get; init; }
        public byte[] Sha256 { get; init; } = [];
        public string SourceKey { get; init; } = "";
        public long CreatedAt { get; init; }
        public long UpdatedAt { get; init; }
        public long? PlayableAt { get; init; }
        public long? ReadyAt { get; init; }
        public long RowVersion { get; init; }
        public string? JobId { get; init; }
        public string? Version { get; init; }
        public string? SourceJson { get; init; }
        public double DurationSeconds { get; init; }
        public string? ErrorCode { get; init; }
        public string? ErrorMessage { get; init; }
        public string? ErrorLog { get; init; }

        public static Flat Of(MediaRow row) => new()
        {
            Id = row.Id,
            MediaId = row.MediaId,
            State = row.State.Name(),
            Title = row.Title,
            Filename = row.Filename,
            Tags = JsonSerializer.Serialize(row.Tags),
            Policy = row.Policy,
            Tenant = row.Tenant,
            Preset = row.Preset,
            Class = row.Class,
            Traceparent = row.Traceparent,
            SizeBytes = row.SizeBytes,
            Sha256 = row.Sha256,
            SourceKey = row.SourceKey,
            CreatedAt = row.CreatedAt,
            UpdatedAt = row.UpdatedAt,
            PlayableAt = row.PlayableAt,
            ReadyAt = row.ReadyAt,
            RowVersion = row.RowVersion,
            JobId = row.JobId,
            Version = row.Version,
            SourceJson = row.Source is null ? null : StoredJson.Write(row.Source),
            DurationSeconds = row.DurationSeconds,
            ErrorCode = row.Error?.Code,
            ErrorMessage = row.Error?.Message,
            ErrorLog = row.Error?.LogTail,
        };

        public MediaRow ToRow() => new()
        {
            Id = Id,
            MediaId = MediaId,
            State = MediaStates.Parse(State),
            Title = Title,
            Filename = Filename,
            Tags = JsonSerializer.Deserialize<string[]>(Tags)!,
            Policy = Policy,
            Tenant = Tenant,
            Preset = Preset,
            Class = Class,
            Traceparent = Traceparent,
            SizeBytes = SizeBytes,
            Sha256 = Sha256,
            SourceKey = SourceKey,
            CreatedAt = CreatedAt,
            UpdatedAt = UpdatedAt,
            PlayableAt = PlayableAt,
            ReadyAt = ReadyAt,
            RowVersion = RowVersion,
            JobId = JobId,
            Version = Version,
            Source = SourceJson is null ? null : StoredJson.Read<SourceFacts>(SourceJson),
            DurationSeconds = DurationSeconds,
            Error = ErrorCode is null ? null : new MediaFault(ErrorCode, ErrorMessage ?? "", ErrorLog ?? ""),
        };
    }
}
