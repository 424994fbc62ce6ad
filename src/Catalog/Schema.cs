using Hexcast.Platform.Sql;

namespace Hexcast.Catalog;

internal static class Schema
{
    // Times are Unix milliseconds. A media's id orders by creation.
    public static readonly IReadOnlyList<Migration> Migrations =
    [
        new(1, "media, versions, outbox, changes", """
            CREATE TABLE media (
                id INTEGER PRIMARY KEY,
                media_id TEXT NOT NULL UNIQUE,
                state TEXT NOT NULL,
                title TEXT NOT NULL,
                filename TEXT NOT NULL,
                tags TEXT NOT NULL,
                policy TEXT NOT NULL,
                preset TEXT NOT NULL,
                class TEXT NOT NULL,
                traceparent TEXT NOT NULL,
                size_bytes INTEGER NOT NULL,
                sha256 BLOB NOT NULL,
                source_key TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL,
                playable_at INTEGER,
                ready_at INTEGER,
                row_version INTEGER NOT NULL,
                job_id TEXT,
                version TEXT,
                source_json TEXT,
                duration_seconds REAL NOT NULL DEFAULT 0,
                error_code TEXT,
                error_message TEXT,
                error_log TEXT
            ) STRICT;
            CREATE TABLE media_tag (
                tag TEXT NOT NULL,
                media_id TEXT NOT NULL REFERENCES media (media_id) ON DELETE CASCADE,
                PRIMARY KEY (tag, media_id)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX media_tag_by_media ON media_tag (media_id);
            CREATE INDEX media_by_state ON media (state, media_id);
            CREATE VIRTUAL TABLE media_fts USING fts5 (
                title, filename, tags, prefix = '2 3', tokenize = 'unicode61 remove_diacritics 2');

            CREATE TABLE version (
                version TEXT PRIMARY KEY,
                media_id TEXT NOT NULL REFERENCES media (media_id) ON DELETE CASCADE,
                stage TEXT NOT NULL,
                following INTEGER NOT NULL,
                cursor INTEGER NOT NULL,
                plan BLOB,
                poster_key TEXT,
                poster_length INTEGER,
                poster_sha256 BLOB,
                renditions_json TEXT NOT NULL DEFAULT '[]',
                created_at INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX version_by_media ON version (media_id);
            CREATE INDEX version_followed ON version (version) WHERE following = 1;
            CREATE TABLE version_part (
                version TEXT NOT NULL REFERENCES version (version) ON DELETE CASCADE,
                task_id TEXT NOT NULL,
                kind INTEGER NOT NULL,
                chunk INTEGER NOT NULL,
                attempt INTEGER NOT NULL,
                part BLOB NOT NULL,
                PRIMARY KEY (version, task_id)
            ) STRICT;

            CREATE TABLE outbox (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                media_id TEXT NOT NULL,
                kind TEXT NOT NULL
            ) STRICT;
            CREATE INDEX outbox_by_media ON outbox (media_id, sequence);
            -- The newest change of each media; a deleted one leaves its last row as a tombstone.
            CREATE TABLE change (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                media_id TEXT NOT NULL UNIQUE,
                deleted INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX change_tombstones ON change (sequence) WHERE deleted = 1;
            """),
        // How long an outbox row waits, and where its span in the trace begins; 0: made before this.
        new(2, "when outbox rows were made, when versions were first played", """
            ALTER TABLE outbox ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE version ADD COLUMN first_played_at INTEGER;
            """),
        new(3, "subtitles that are uploaded beside a media", """
            CREATE TABLE subtitle (
                media_id TEXT NOT NULL REFERENCES media (media_id) ON DELETE CASCADE,
                language TEXT NOT NULL,
                id TEXT NOT NULL,
                label TEXT NOT NULL,
                is_default INTEGER NOT NULL,
                object_key TEXT NOT NULL,
                object_length INTEGER NOT NULL,
                object_sha256 BLOB NOT NULL,
                PRIMARY KEY (media_id, language)
            ) STRICT, WITHOUT ROWID;
            """),
        new(4, "whose a media is", """
            ALTER TABLE media ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
            CREATE INDEX media_by_tenant ON media (tenant, media_id);
            ALTER TABLE change ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
            """),
    ];
}
