using System.Data;
using Microsoft.Data.Sqlite;

namespace Hexcast.Platform.Sql;

/// <summary>One forward-only change of a schema. Its number never changes once released.</summary>
public sealed record Migration(int Number, string Name, string Sql);

/// <summary>
/// A role's own SQLite file: WAL, every commit synced (I1), one writer at a time in this process, readers beside it.
/// </summary>
public sealed class SqliteDatabase : IDisposable
{
    private readonly SqliteConnection writer;
    private readonly SemaphoreSlim writerTurn = new(1, 1);
    private readonly string connectionString;

    public SqliteDatabase(string path, IReadOnlyList<Migration> migrations)
    {
        connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 30 }.ToString();
        writer = Open();
        Execute(writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
        Migrate(migrations);
    }

    /// <summary>Runs <paramref name="work"/> in the one write transaction; durable when it answers.</summary>
    public async Task<T> WriteAsync<T>(Func<SqliteConnection, SqliteTransaction, T> work, CancellationToken cancel)
    {
        await writerTurn.WaitAsync(cancel);
        try
        {
            using var transaction = writer.BeginTransaction(IsolationLevel.Serializable);
            var result = work(writer, transaction);
            transaction.Commit();
            return result;
        }
        finally
        {
            writerTurn.Release();
        }
    }

    /// <summary>Runs <paramref name="work"/> on a snapshot of its own.</summary>
    public T Read<T>(Func<SqliteConnection, T> work)
    {
        using var connection = Open();
        using var snapshot = connection.BeginTransaction(deferred: true);
        return work(connection);
    }

    public void Dispose()
    {
        writer.Dispose();
        SqliteConnection.ClearPool(writer);
        writerTurn.Dispose();
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(connectionString);
        connection.Open();
        Execute(connection, "PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000;");
        return connection;
    }

    private void Migrate(IReadOnlyList<Migration> migrations)
    {
        using var transaction = writer.BeginTransaction(IsolationLevel.Serializable);
        using var version = writer.CreateCommand();
        version.CommandText = "PRAGMA user_version";
        var current = (long)version.ExecuteScalar()!;
        if (current > migrations[^1].Number)
        {
            throw new InvalidOperationException(
                $"{writer.DataSource} has schema {current}, this build knows {migrations[^1].Number}: " +
                "it was written by a newer Hexcast. Run that one, or restore a back-up.");
        }

        foreach (var migration in migrations.Where(m => m.Number > current))
        {
            Execute(writer, migration.Sql);
            Execute(writer, $"PRAGMA user_version = {migration.Number}");
        }

        transaction.Commit();
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
