using System.Collections.Concurrent;
using Hexcast.Platform.Access;
using Microsoft.Extensions.Logging;

namespace Hexcast.Access.Audit;

/// <summary>
/// Entries in the order in which they come. Whoever has the turn writes what all that wait have brought and syncs once
/// for them, so that many requests at once share a sync. While the disk fails, the entries of what has happened are
/// kept and go first once it is well again; no token is given out meanwhile (<see cref="AuditTrail.RequireAsync"/>).
/// </summary>
internal sealed class AuditLog(AuditFiles files, ILogger<AuditLog> log) : IAuditLog, IDisposable
{
    /// <summary>Every try writes them all: about 300 KiB.</summary>
    public const int KeptLimit = 1000;

    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly ConcurrentQueue<Waiting> queue = new();

    // Under the turn: what the disk has not taken.
    private readonly List<AuditEntry> kept = [];
    private bool failing;

    public Task<bool> WriteAsync(AuditEntry entry) => WriteAsync(new Waiting(entry, Keep: true));

    public Task<bool> TryWriteAsync(AuditEntry entry) => WriteAsync(new Waiting(entry, Keep: false));

    /// <summary>What was kept is tried once more, though nothing new comes.</summary>
    public async Task WriteKeptAsync()
    {
        await turn.WaitAsync();
        try
        {
            if (kept.Count > 0)
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

    private async Task<bool> WriteAsync(Waiting mine)
    {
        queue.Enqueue(mine);
        await turn.WaitAsync();
        try
        {
            if (mine.IsDurable is null)
            {
                WriteAll();
            }

            return mine.IsDurable!.Value;
        }
        finally
        {
            turn.Release();
        }
    }

    private void WriteAll()
    {
        var batch = new List<Waiting>();
        while (queue.TryDequeue(out var next))
        {
            batch.Add(next);
        }

        var durable = Append([.. kept, .. batch.Select(waiting => waiting.Entry)]);
        batch.ForEach(waiting => waiting.IsDurable = durable);
        if (durable)
        {
            kept.Clear();
        }
        else
        {
            Keep([.. batch.Where(waiting => waiting.Keep).Select(waiting => waiting.Entry)]);
        }

        AuditTelemetry.NoteKept(kept.Count);
    }

    private bool Append(List<AuditEntry> entries)
    {
        try
        {
            files.Append(entries);
            if (failing)
            {
                log.LogWarning("The audit log is written again, {Entries} entries late", kept.Count);
            }

            failing = false;
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            if (!failing)
            {
                log.LogError(failure, "The audit log cannot be written: its entries wait, and no token is given out");
            }

            failing = true;
            return false;
        }
    }

    private void Keep(List<AuditEntry> entries)
    {
        var fit = Math.Min(entries.Count, KeptLimit - kept.Count);
        kept.AddRange(entries.Take(fit));
        foreach (var lost in entries.Skip(fit))
        {
            AuditTelemetry.NoteLost();
            log.LogError("{Action} on {Target} has no audit entry: too many wait", lost.Action, lost.Target);
        }
    }

    private sealed record Waiting(AuditEntry Entry, bool Keep)
    {
        // Under the turn; null: nobody has tried yet.
        public bool? IsDurable { get; set; }
    }
}
