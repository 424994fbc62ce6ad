using System.Collections.Concurrent;
using Google.Protobuf;
using Hexcast.Coordination;
using Hexcast.Coordination.Client;
using Hexcast.Platform.Errors;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Access.Credentials;

/// <summary>A record as the coordinator holds it. Without a record: it was deleted at that revision.</summary>
internal sealed record Held(IMessage? Record, long ModRevision);

/// <summary>
/// All credentials, in memory and as fresh as the watch is: a token that is revoked on any node is so on all. What this
/// node writes it knows at once, and what it does not know it asks for before it says that there is no such thing.
/// </summary>
internal sealed class CredentialStore(CoordinatorClient coordinator, CredentialEnds ends) : BackgroundService
{
    private static readonly TimeSpan LoadLimit = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, Held> held = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        await loaded.Task.WaitAsync(LoadLimit, cancellationToken);
    }

    /// <summary>Null: there is none.</summary>
    /// <exception cref="HexcastException">unavailable</exception>
    public async ValueTask<(T Record, long Revision)?> FindAsync<T>(string key, CancellationToken cancel)
        where T : class, IMessage
    {
        RequireLoaded();
        if (!held.TryGetValue(key, out var known))
        {
            known = await ReadAsync(key, cancel);
        }

        return known.Record is T record ? (record, known.ModRevision) : null;
    }

    /// <summary>As of now and not as of the watch: where a record seems to be out of date.</summary>
    public async Task<(T Record, long Revision)?> FindNewestAsync<T>(string key, CancellationToken cancel)
        where T : class, IMessage
    {
        var newest = await ReadAsync(key, cancel);
        return newest.Record is T record ? (record, newest.ModRevision) : null;
    }

    /// <summary>Every record of the kind below the prefix.</summary>
    public IReadOnlyList<T> All<T>(string prefix = CredentialKeys.All) where T : class, IMessage
    {
        RequireLoaded();
        return
        [
            .. held.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
                .Select(entry => entry.Value.Record).OfType<T>(),
        ];
    }

    /// <summary>What is held here, without a look at the coordinator.</summary>
    public T? Known<T>(string key) where T : class, IMessage =>
        held.TryGetValue(key, out var known) ? known.Record as T : null;

    /// <summary>Puts and deletes together, if the guards hold. Durable when it answers, and known here.</summary>
    /// <returns>False: a guard does not hold.</returns>
    /// <exception cref="HexcastException">unavailable: whether it happened is not known.</exception>
    public async Task<bool> WriteAsync(
        IEnumerable<Compare> guards,
        IReadOnlyDictionary<string, IMessage?> records,
        CancellationToken cancel,
        params string[] deletedPrefixes)
    {
        var operations = records
            .Select(r => r.Value is null ? Operation.Delete(r.Key) : Operation.Put(r.Key, r.Value.ToByteString()))
            .Concat(deletedPrefixes.Select(Operation.DeletePrefix));
        var result = await AskAsync(() => coordinator.TxnAsync(guards, operations, cancel));
        if (!result.Succeeded)
        {
            return false;
        }

        foreach (var (key, record) in records)
        {
            Apply(key, new Held(record, result.Revision));
        }

        foreach (var key in held.Keys.Where(
            key => deletedPrefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal))))
        {
            Apply(key, new Held(null, result.Revision));
        }

        return true;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var batch in coordinator.WatchAsync(CredentialKeys.All, 0, stoppingToken))
        {
            switch (batch)
            {
                case WatchBatch.Resync resync:
                    TakeOver(resync);
                    loaded.TrySetResult();
                    break;
                case WatchBatch.Changes changes:
                    foreach (var change in changes.Events)
                    {
                        Apply(change.KeyValue.Key, change.Kind == WatchEventKind.Put
                            ? HeldOf(change.KeyValue)
                            : new Held(null, change.KeyValue.ModRevision));
                    }

                    ForgetDeleted(changes.Revision);
                    break;
            }
        }
    }

    private void TakeOver(WatchBatch.Resync resync)
    {
        var keys = resync.KeyValues.Select(kv => kv.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, known) in held.Where(entry => !keys.Contains(entry.Key)))
        {
            if (known.ModRevision <= resync.Revision)
            {
                held.TryRemove(KeyValuePair.Create(key, known));
                ends.End(key);
            }
        }

        foreach (var kv in resync.KeyValues)
        {
            Apply(kv.Key, HeldOf(kv));
        }
    }

    // The newest revision stands, whether the watch or a write of this node brought it.
    private void Apply(string key, Held news)
    {
        var newest = held.AddOrUpdate(
            key, news, (_, known) => known.ModRevision > news.ModRevision ? known : news);
        if (newest.Record is null)
        {
            ends.End(key);
        }
    }

    // The watch has passed the deletion, so it brings nothing older any more.
    private void ForgetDeleted(long revision)
    {
        foreach (var (key, known) in held.Where(
            entry => entry.Value.Record is null && entry.Value.ModRevision <= revision))
        {
            held.TryRemove(KeyValuePair.Create(key, known));
        }
    }

    // Not kept: what was read may be deleted by the time that the watch gets there, and then nothing would remove it.
    private async Task<Held> ReadAsync(string key, CancellationToken cancel)
    {
        var found = await AskAsync(() => coordinator.GetAsync(key, cancel));
        return found is null ? new Held(null, 0) : HeldOf(found);
    }

    private static Held HeldOf(CoordinatorKeyValue kv) => new(CredentialKeys.Parse(kv.Key, kv.Value), kv.ModRevision);

    private static async Task<T> AskAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (CoordinatorException failure)
        {
            throw new HexcastException(
                failure.Error == CoordinatorError.NoSpace ? ErrorCodes.StorageFull : ErrorCodes.Unavailable,
                $"Credentials cannot be looked up or changed now: {failure.Message}",
                failure);
        }
    }

    private void RequireLoaded()
    {
        if (!loaded.Task.IsCompletedSuccessfully)
        {
            throw new HexcastException(ErrorCodes.Unavailable, "The node is starting: credentials are not loaded yet.");
        }
    }
}
