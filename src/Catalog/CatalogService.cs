using Dapper;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Hexcast.Catalog.Subtitles;
using Hexcast.Catalog.Versions;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Catalog;

/// <summary>What the other roles ask of Catalog.</summary>
internal sealed class CatalogService(
    CatalogStore store, MediaCommands commands, MediaChanges changes, IHostApplicationLifetime lifetime)
    : Contracts.V1.Catalog.CatalogBase
{
    private const int ChangePageSize = 500;
    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(30);

    public override async Task<CompleteUploadResponse> CompleteUpload(
        CompleteUploadRequest request, ServerCallContext context) =>
        new() { Media = ToRecord(await commands.CompleteUploadAsync(request, context.CancellationToken)) };

    public override Task<MediaRecord> GetMedia(GetMediaRequest request, ServerCallContext context) =>
        Task.FromResult(ToRecord(store.Find(request.MediaId) ?? throw NoMedia(request.MediaId)));

    public override Task<ListMediaResponse> ListMedia(ListMediaRequest request, ServerCallContext context)
    {
        var asked = MediaQuery.Judge(
            request.Query, request.State, request.Tags,
            request.Limit == 0 ? MediaQuery.DefaultLimit : request.Limit, request.Cursor,
            request.Tenant.Length == 0 ? null : request.Tenant);
        return Task.FromResult(store.Read(connection =>
        {
            var (rows, next) = request.MediaIds.Count == 0
                ? asked.Read(connection)
                : (MediaTable.Find(connection, request.MediaIds), null);
            rows = request.Tenant.Length == 0 ? rows : [.. rows.Where(row => row.Tenant == request.Tenant)];
            var response = new ListMediaResponse { NextCursor = next ?? "" };
            response.Media.AddRange(rows.Select(row => Listed(row, connection)));
            return response;
        }));
    }

    public override Task<VersionIndex> GetVersionIndex(GetVersionIndexRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(connection =>
        {
            var media = MediaTable.Find(connection, request.MediaId) ?? throw NoMedia(request.MediaId);
            if (media.Version is null || VersionTable.Find(connection, media.Version) is not { } version)
            {
                throw new HexcastException(
                    ErrorCodes.NotPlayable, $"Media '{media.MediaId}' cannot be played: it is {media.State.Name()}.");
            }

            return VersionIndexBuilder.Build(
                media, version, VersionTable.LoadComposition(connection, version.Version),
                SubtitleTable.Of(connection, media.MediaId));
        }));

    public override async Task<NotePlayResponse> NotePlay(NotePlayRequest request, ServerCallContext context) => new()
    {
        First = await store.WriteAsync(
            write => VersionTable.NotePlay(write, request.Version), context.CancellationToken),
    };

    public override async Task WatchMedia(
        WatchMediaRequest request, IServerStreamWriter<MediaChange> responseStream, ServerCallContext context)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken, lifetime.ApplicationStopping);
        using var watcher = changes.Watch(request.MediaId)
            ?? throw new HexcastException(ErrorCodes.ResourceExhausted, "Too many watch the catalog.");
        var cursor = request.AfterSequence;
        if (cursor == 0)
        {
            cursor = store.Read(LastSequence);
        }
        else if (cursor < store.Read(FirstComplete))
        {
            throw new HexcastException(
                ErrorCodes.PreconditionFailed,
                $"Deletions since {cursor} are no longer known. Start without a cursor, and read everything again.");
        }

        await responseStream.WriteAsync(
            new MediaChange { Sequence = cursor, Kind = MediaChange.Types.Kind.Started }, ends.Token);
        try
        {
            while (true)
            {
                var page = store.Read(connection => ChangesAfter(connection, cursor, request.MediaId));
                foreach (var change in page)
                {
                    await responseStream.WriteAsync(change, ends.Token);
                    cursor = change.Sequence;
                }

                if (page.Count < ChangePageSize)
                {
                    await watcher.Changed.WaitAsync(Resync, ends.Token);
                }
            }
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "Catalog is stopping."));
        }
    }

    private static long LastSequence(SqliteConnection connection) =>
        connection.ExecuteScalar<long>("SELECT coalesce(max(sequence), 0) FROM change");

    // From here on every deletion is still known.
    private static long FirstComplete(SqliteConnection connection) =>
        connection.ExecuteScalar<long>(
            """
            SELECT CASE WHEN count(*) < @TombstoneLimit THEN 0 ELSE min(sequence) END FROM change WHERE deleted = 1
            """,
            new { CatalogStore.TombstoneLimit });

    private static List<MediaChange> ChangesAfter(
        SqliteConnection connection, long cursor, string mediaId) =>
        [
            .. connection.Query<(long Sequence, string MediaId, bool Deleted)>(
                """
                SELECT sequence, media_id, deleted FROM change
                WHERE sequence > @cursor AND (@mediaId = '' OR media_id = @mediaId)
                ORDER BY sequence LIMIT @ChangePageSize
                """,
                new { cursor, mediaId, ChangePageSize })
                .Select(row => new MediaChange
                {
                    Sequence = row.Sequence,
                    MediaId = row.MediaId,
                    Kind = row.Deleted ? MediaChange.Types.Kind.Deleted : MediaChange.Types.Kind.Changed,
                }),
        ];

    private static HexcastException NoMedia(string mediaId) =>
        new(ErrorCodes.NotFound, $"There is no media '{mediaId}'.");

    private ListedMedia Listed(MediaRow row, SqliteConnection connection)
    {
        var listed = new ListedMedia
        {
            Media = ToRecord(row),
            HasPoster = row.Version is not null && VersionTable.Find(connection, row.Version) is { HasPoster: true },
        };
        if (changes.Progress(row.MediaId) is { } report)
        {
            (listed.Fraction, listed.Stage) = JobFraction.Of(report.Tasks);
        }

        return listed;
    }

    private static MediaRecord ToRecord(MediaRow row)
    {
        var record = new MediaRecord
        {
            MediaId = row.MediaId,
            State = row.State,
            Title = row.Title,
            Filename = row.Filename,
            Policy = row.Policy,
            Tenant = row.Tenant,
            Preset = row.Preset,
            SizeBytes = row.SizeBytes,
            Sha256 = ByteString.CopyFrom(row.Sha256),
            CreatedAt = Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt)),
            UpdatedAt = Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(row.UpdatedAt)),
            RowVersion = row.RowVersion,
            Version = row.Version ?? "",
            JobId = row.JobId ?? "",
            DurationSeconds = row.DurationSeconds,
            Error = row.Error is null ? null : new MediaError { Code = row.Error.Code, Message = row.Error.Message },
        };
        record.Tags.AddRange(row.Tags);
        return record;
    }
}
