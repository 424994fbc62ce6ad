using Dapper;
using Microsoft.Data.Sqlite;

namespace Hexcast.Catalog.Delivery;

internal static class OutboxKinds
{
    public const string Uploaded = "media.uploaded";
    public const string Deleted = "media.deleted";

    public static readonly IReadOnlyList<string> All = [Uploaded, Deleted];
}

internal sealed record OutboxRow(long Sequence, string MediaId, string Kind, long CreatedAt);

internal static class OutboxTable
{
    /// <summary>
    /// The oldest row of each media, if it is of this kind and lies behind <paramref name="after"/>.
    /// </summary>
    public static IReadOnlyList<OutboxRow> Heads(SqliteConnection connection, string kind, long after, int limit) =>
    [
        .. connection.Query<OutboxRow>(
            """
            SELECT sequence AS Sequence, media_id AS MediaId, kind AS Kind, created_at AS CreatedAt FROM outbox o
            WHERE sequence > @after AND kind = @kind
                AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.media_id = o.media_id AND e.sequence < o.sequence)
            ORDER BY sequence LIMIT @limit
            """,
            new { kind, after, limit }),
    ];

    public static void Remove(CatalogTransaction write, OutboxRow row) => write.Connection.Execute(
        "DELETE FROM outbox WHERE sequence = @Sequence", new { row.Sequence }, write.Transaction);
}
