using Dapper;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Microsoft.Data.Sqlite;

namespace Hexcast.Catalog.Subtitles;

/// <summary>Text tracks that people have uploaded beside a media: at most one a language.</summary>
internal static class SubtitleTable
{
    public static IReadOnlyList<SubtitleTrack> Of(
        SqliteConnection connection, string mediaId, SqliteTransaction? transaction = null) =>
    [
        .. connection.Query<Flat>(
            """
            SELECT id AS Id, language AS Language, label AS Label, is_default AS IsDefault, object_key AS ObjectKey,
                object_length AS ObjectLength, object_sha256 AS ObjectSha256
            FROM subtitle WHERE media_id = @mediaId ORDER BY language
            """,
            new { mediaId },
            transaction).Select(flat => flat.ToTrack()),
    ];

    public static void Put(CatalogTransaction write, string mediaId, SubtitleTrack track) => write.Connection.Execute(
        """
        INSERT OR REPLACE INTO subtitle (media_id, language, id, label, is_default, object_key, object_length,
            object_sha256)
        VALUES (@mediaId, @Language, @Id, @Label, @IsDefault, @Key, @Length, @hash)
        """,
        new
        {
            mediaId, track.Language, track.Id, track.Label, track.IsDefault, track.Text.Key, track.Text.Length,
            hash = track.Text.Sha256.ToByteArray(),
        },
        write.Transaction);

    public static void Remove(CatalogTransaction write, string mediaId, string language) => write.Connection.Execute(
        "DELETE FROM subtitle WHERE media_id = @mediaId AND language = @language",
        new { mediaId, language },
        write.Transaction);

    private sealed class Flat
    {
        public string Id { get; init; } = "";
        public string Language { get; init; } = "";
        public string Label { get; init; } = "";
        public long IsDefault { get; init; }
        public string ObjectKey { get; init; } = "";
        public long ObjectLength { get; init; }
        public byte[] ObjectSha256 { get; init; } = [];

        public SubtitleTrack ToTrack() => new()
        {
            Id = Id,
            Language = Language,
            Label = Label,
            IsDefault = IsDefault != 0,
            Text = new ObjectRef
            {
                Key = ObjectKey, Length = ObjectLength, Sha256 = ByteString.CopyFrom(ObjectSha256),
            },
        };
    }
}
