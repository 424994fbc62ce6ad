using System.Collections.Concurrent;
using Hexcast.Platform.Access;
using Microsoft.Extensions.Logging;

namespace Hexcast.Access.Audit;

/// <summary>
/// Entries in the order in which they come. Whoever has the turn writes what all that wait have brought and syncs once
/// for them, so that many requests at once share a sync.
/// </summary>
internal sealed class AuditLog(AuditFiles files, ILogger<AuditLog> log) : IAuditLog, IDisposable
{
    /// <summary>More requests than a node serves at once.</summary>
    private const int WaitingLimit = 10_000;

    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly ConcurrentQueue<Waiting> queue = new();

    public async Task WriteAsync(AuditEntry entry)
    {
        if (queue.Count >= WaitingLimit)
        {
            log.LogError("The audit log cannot keep up: {Action} on {Target} has no entry", entry.Action, entry.Target);
            return;
        }

        var mine = new Waiting(entry);
        queue.Enqueue(mine);
        await turn.WaitAsync();
        try
        {
            if (!mine.Written)
            {
                WriteAll();
            }
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    private void WriteAll()
    {
        var batch = new List<Waiting>();
        while (queue.TryDequeue(out var next))
        {
            batch.Add(next);
        }

        try
        {
            files.Append(batch.Select(waiting => waiting.Entry));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // What was asked for has happened; to fail its answer now would say that it has not.
            log.LogError(failure, "{Entries} audit entries could not be written", batch.Count);
        }

        batch.ForEach(waiting => waiting.Written = true);
    }

    private sealed class Waiting(AuditEntry entry)
    {
        public AuditEntry Entry { get; } = entry;

        // Under the turn.
        public bool Written { get; set; }
    }
}
