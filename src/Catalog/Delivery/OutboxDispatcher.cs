using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Catalog.Delivery;

/// <summary>
/// Delivers the outbox at least once: one row of a media at a time in their order, woken by commits and every 30 s.
/// A row leaves in the transaction that records what its delivery led to.
/// </summary>
internal sealed class OutboxDispatcher(
    CatalogStore store, OutboxReceivers receivers, TimeProvider clock, ILogger<OutboxDispatcher> log)
    : BackgroundService
{
    private const int PageSize = 100;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var backoff = new Backoff(FirstRetry, SweepInterval, clock);
        try
        {
            while (true)
            {
                if (await TryDeliverAllAsync(stoppingToken))
                {
                    backoff.Reset();
                    await store.OutboxFilled.WaitAsync(SweepInterval, stoppingToken);
                }
                else
                {
                    await backoff.WaitAsync(stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    // A database that cannot be read, for want of space or handles, may be readable again.
    private async Task<bool> TryDeliverAllAsync(CancellationToken cancel)
    {
        try
        {
            return await DeliverAllAsync(cancel);
        }
        catch (SqliteException failure)
        {
            log.LogError(failure, "The outbox cannot be read");
            return false;
        }
    }

    /// <summary>False when something has to be delivered again.</summary>
    private async Task<bool> DeliverAllAsync(CancellationToken cancel)
    {
        var all = true;
        var after = 0L;
        while (store.Read(connection => OutboxTable.Heads(connection, after, PageSize)) is { Count: > 0 } page)
        {
            foreach (var row in page)
            {
                after = row.Sequence;
                try
                {
                    await receivers.DeliverAsync(row, cancel);
                    // The media's next row is a head now, and may lie anywhere behind.
                    store.OutboxFilled.Set();
                }
                catch (RpcException failure) when (!cancel.IsCancellationRequested)
                {
                    all = false;
                    log.LogInformation(
                        "{Kind} of media {MediaId} is not delivered yet: {Status}",
                        row.Kind, row.MediaId, failure.Status);
                    // A receiver that is away is away for the other rows too.
                    if (failure.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
                    {
                        return false;
                    }
                }
                catch (Exception failure) when (!cancel.IsCancellationRequested)
                {
                    all = false;
                    log.LogError(failure, "{Kind} of media {MediaId} could not be delivered", row.Kind, row.MediaId);
                }
            }
        }

        return all;
    }
}
