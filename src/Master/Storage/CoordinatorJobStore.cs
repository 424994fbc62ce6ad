using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Master.Scheduling;
using Hexcast.Platform.Errors;

namespace Hexcast.Master.Storage;

/// <summary>The records as keys of the coordinator, guarded as <see cref="RecordTransactions"/> says.</summary>
internal sealed class CoordinatorJobStore(CoordinatorClient coordinator)
{
    /// <summary>What workers follow.</summary>
    private static readonly string[] SettingPrefixes = ["/hexcast/settings/", "/hexcast/rules/"];

    private readonly RecordTransactions records = new();
    private readonly Dictionary<string, long> settingsReadAt = new(StringComparer.Ordinal);

    /// <summary>
    /// Begins a term: from now on no write of an earlier one gets through, however late it arrives. All that is
    /// there; writes that follow are guarded by what was read.
    /// </summary>
    /// <exception cref="HexcastException">unavailable: this is no longer the mastership of that fence.</exception>
    public async Task<Loaded> LoadAsync(long fence, CancellationToken cancel)
    {
        var begun = await coordinator.TxnAsync(
            RecordTransactions.BeginGuards(fence), RecordTransactions.Begin(fence), cancel);
        if (!begun.Succeeded)
        {
            throw new HexcastException(ErrorCodes.Unavailable, "Another master has taken over.");
        }

        records.Begun(begun.Revision);
        var jobs = new List<JobRecord>();
        var tasks = new List<TaskRecord>();
        foreach (var record in (await coordinator.RangeAsync(RecordWrite.Prefix, cancel)).KeyValues)
        {
            records.Read(record.Key, record.ModRevision);
            if (record.Key.AsSpan(RecordWrite.Prefix.Length).Contains('/'))
            {
                tasks.Add(TaskRecord.Parser.ParseFrom(record.Value));
            }
            else
            {
                jobs.Add(JobRecord.Parser.ParseFrom(record.Value));
            }
        }

        var nodes = new List<NodeRecord>();
        foreach (var record in (await coordinator.RangeAsync(RecordWrite.NodePrefix, cancel)).KeyValues)
        {
            records.Read(record.Key, record.ModRevision);
            nodes.Add(NodeRecord.Parser.ParseFrom(record.Value));
        }

        var settings = new List<SettingValue>();
        foreach (var prefix in SettingPrefixes)
        {
            var range = await coordinator.RangeAsync(prefix, cancel);
            settingsReadAt[prefix] = range.Revision;
            settings.AddRange(range.KeyValues.Select(v => new SettingValue(v.Key, v.Value)));
        }

        return new Loaded(jobs, tasks) { TermRevision = begun.Revision, Nodes = nodes, Settings = settings };
    }

    /// <summary>What has changed of the cluster's settings and rules since <see cref="LoadAsync"/>, for ever.</summary>
    public async IAsyncEnumerable<SettingsChanged> FollowSettingsAsync(
        [EnumeratorCancellation] CancellationToken cancel)
    {
        var news = Channel.CreateBounded<SettingsChanged>(1);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var watches = SettingPrefixes.Select(prefix => WatchAsync(prefix, news.Writer, both.Token)).ToList();
        try
        {
            await foreach (var changed in news.Reader.ReadAllAsync(cancel))
            {
                yield return changed;
            }
        }
        finally
        {
            await both.CancelAsync();
            await Task.WhenAll(watches).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static SettingValue Changed(WatchEvent change) => new(
        change.KeyValue.Key, change.Kind == WatchEventKind.Delete ? null : change.KeyValue.Value);

    private async Task WatchAsync(string prefix, ChannelWriter<SettingsChanged> news, CancellationToken cancel)
    {
        try
        {
            await foreach (var batch in coordinator.WatchAsync(prefix, settingsReadAt[prefix] + 1, cancel))
            {
                await news.WriteAsync(
                    batch switch
                    {
                        WatchBatch.Resync all => new SettingsChanged(
                            prefix, [.. all.KeyValues.Select(v => new SettingValue(v.Key, v.Value))]),
                        WatchBatch.Changes some => new SettingsChanged(null, [.. some.Events.Select(Changed)]),
                        _ => throw new InvalidOperationException($"a watch told {batch.GetType().Name}"),
                    },
                    cancel);
            }
        }
        catch (Exception failure)
        {
            // The reader is told, and the term ends: it must not go on with old rules.
            news.TryComplete(failure);
        }
    }

    /// <summary>
    /// All writes or none, durable when answered; no key twice. False: this is no longer the mastership of that fence,
    /// or somebody else has written a record. Any exception: unknown whether it was written. After both only
    /// <see cref="LoadAsync"/> helps.
    /// </summary>
    public async Task<bool> CommitAsync(long fence, IReadOnlyList<RecordWrite> writes, CancellationToken cancel)
    {
        var result = await coordinator.TxnAsync(
            records.Guards(fence, writes), RecordTransactions.Operations(writes), cancel);
        if (result.Succeeded)
        {
            records.Written(writes, result.Revision);
        }

        return result.Succeeded;
    }
}
