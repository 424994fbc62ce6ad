using System.Collections.Frozen;
using Dapper;
using Hexcast.Catalog.Delivery;
using Hexcast.Contracts;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Sql;
using Microsoft.Data.Sqlite;

namespace Hexcast.Catalog;

/// <summary>
/// Catalog's database, and the wake-ups that follow a commit: changes to whoever watches, outbox rows to the
/// dispatcher, versions to the followers. Rows are the queues; a wake-up only says that it is worth looking.
/// </summary>
internal sealed class CatalogStore(string path, MediaChanges changes, TimeProvider clock) : IDisposable
{
    // The oldest are forgotten: a follower that asks from before them starts anew.
    public const int TombstoneLimit = 10_000;

    // https://www.sqlite.org/rescode.html#full
    private const int SqliteFull = 13;

    private readonly SqliteDatabase database = new(path, Schema.Migrations);

    /// <summary>For each kind of row: the outbox may hold one to deliver.</summary>
    public IReadOnlyDictionary<string, Signal> OutboxFilled { get; } =
        OutboxKinds.All.ToFrozenDictionary(kind => kind, _ => new Signal(clock), StringComparer.Ordinal);

    /// <summary>There is a version to follow.</summary>
    public Signal VersionAdded { get; } = new(clock);

    public void WakeOutbox()
    {
        foreach (var filled in OutboxFilled.Values)
        {
            filled.Set();
        }
    }

    public T Read<T>(Func<SqliteConnection, T> work) => database.Read(work);

    public MediaRow? Find(string mediaId) => Read(connection => MediaTable.Find(connection, mediaId));

    /// <summary>Another tenant's media does not exist for whoever asks.</summary>
    /// <exception cref="HexcastException">not_found</exception>
    public MediaRow FindFor(Principal principal, string mediaId) =>
        MediaId.TryParse(mediaId, out _) && Find(mediaId) is { } media && principal.Sees(media.Tenant)
            ? media
            : throw new HexcastException(ErrorCodes.NotFound, $"There is no media '{mediaId}'.");

    /// <summary>One transaction; durable when it answers. Then whoever waits for what it changed is woken.</summary>
    /// <exception cref="HexcastException">storage_full</exception>
    public async Task<T> WriteAsync<T>(Func<CatalogTransaction, T> work, CancellationToken cancel)
    {
        try
        {
            return await WriteAndWakeAsync(work, cancel);
        }
        catch (SqliteException failure) when (failure.SqliteErrorCode == SqliteFull)
        {
            throw new HexcastException(ErrorCodes.StorageFull, StorageFaults.FullMessage, failure);
        }
    }

    public void Dispose()
    {
        database.Dispose();
        foreach (var filled in OutboxFilled.Values)
        {
            filled.Dispose();
        }

        VersionAdded.Dispose();
    }

    private async Task<T> WriteAndWakeAsync<T>(Func<CatalogTransaction, T> work, CancellationToken cancel)
    {
        CatalogTransaction? done = null;
        var result = await database.WriteAsync(
            (connection, transaction) =>
            {
                done = new CatalogTransaction(connection, transaction, clock.GetUtcNow().ToUnixTimeMilliseconds());
                var answer = work(done);
                if (done.Changed.Count > 0)
                {
                    connection.Execute(
                        """
                        DELETE FROM change WHERE deleted = 1 AND sequence <= (
                            SELECT sequence FROM change WHERE deleted = 1
                            ORDER BY sequence DESC LIMIT 1 OFFSET @TombstoneLimit)
                        """,
                        new { TombstoneLimit },
                        transaction);
                }

                return answer;
            },
            cancel);
        foreach (var mediaId in done!.Changed)
        {
            changes.Notify(mediaId);
        }

        if (done.OutboxTouched)
        {
            WakeOutbox();
        }

        if (done.VersionsTouched)
        {
            VersionAdded.Set();
        }

        return result;
    }
}

/// <summary>What a write works on.</summary>
internal sealed class CatalogTransaction(SqliteConnection connection, SqliteTransaction transaction, long now)
{
    private readonly HashSet<string> changed = new(StringComparer.Ordinal);

    public SqliteConnection Connection => connection;

    public SqliteTransaction Transaction => transaction;

    public long Now => now;

    public IReadOnlyCollection<string> Changed => changed;

    public bool OutboxTouched { get; private set; }

    public bool VersionsTouched { get; set; }

    public MediaRow? Find(string mediaId) => MediaTable.Find(connection, mediaId, transaction);

    public bool IsDeleted(string mediaId) => MediaTable.IsDeleted(connection, mediaId, transaction);

    public MediaRow Insert(MediaRow row)
    {
        MediaTable.Insert(connection, transaction, row);
        NoteChange(row, deleted: false);
        return Find(row.MediaId)!;
    }

    /// <summary>Saves the row under its next row version.</summary>
    public MediaRow Update(MediaRow row, bool searchable = false)
    {
        var next = row with { RowVersion = row.RowVersion + 1, UpdatedAt = now };
        MediaTable.Update(connection, transaction, next);
        if (searchable)
        {
            MediaTable.Index(connection, transaction, next);
        }

        NoteChange(row, deleted: false);
        return next;
    }

    public void Delete(MediaRow row)
    {
        MediaTable.Delete(connection, transaction, row);
        NoteChange(row, deleted: true);
    }

    public void AddToOutbox(string mediaId, string kind)
    {
        connection.Execute(
            "INSERT INTO outbox (media_id, kind, created_at) VALUES (@mediaId, @kind, @now)",
            new { mediaId, kind, now },
            transaction);
        OutboxTouched = true;
    }

    private void NoteChange(MediaRow row, bool deleted)
    {
        connection.Execute(
            "INSERT OR REPLACE INTO change (media_id, deleted, tenant) VALUES (@MediaId, @deleted, @Tenant)",
            new { row.MediaId, deleted, row.Tenant },
            transaction);
        changed.Add(row.MediaId);
    }
}
