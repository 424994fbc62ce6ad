using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Catalog.Delivery;

/// <summary>
/// Delivers the outbox's rows of one kind at least once, woken by commits and every 30 s. Each kind has a loop of its
/// own, as a delete may wait long for workers and no order waits for it. The rows of one media keep their order: a row
/// is due once it is the media's oldest, and leaves in the transaction that records what its delivery led to.
/// </summary>
internal sealed class OutboxDispatcher(
    string kind, CatalogStore store, OutboxReceivers receivers, TimeProvider clock, ILogger<OutboxDispatcher> log)
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
                    await store.OutboxFilled[kind].WaitAsync(SweepInterval, stoppingToken);
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
        while (store.Read(connection => OutboxTable.Heads(connection, kind, after, PageSize)) is { Count: > 0 } page)
        {
            foreach (var row in page)
            {
                after = row.Sequence;
                try
                {
                    await receivers.DeliverAsync(row, cancel);
                    CatalogTelemetry.NoteDelivery(kind, delivered: true);
                    // The media's next row is a head now, of whichever kind, and may lie anywhere behind.
                    store.WakeOutbox();
                }
                catch (RpcException) when (cancel.IsCancellationRequested)
                {
                    cancel.ThrowIfCancellationRequested();
                }
                catch (RpcException failure)
                {
                    all = false;
                    CatalogTelemetry.NoteDelivery(kind, delivered: false);
                    log.LogInformation(
                        "{Kind} of media {MediaId} is not delivered yet: {Status}",
                        row.Kind, row.MediaId, failure.Status);
                    // A receiver that is away is away for the other rows too; one that is slow may be so for this one.
                    if (failure.StatusCode == StatusCode.Unavailable)
                    {
                        return false;
                    }
                }
                catch (Exception failure) when (!cancel.IsCancellationRequested)
                {
                    all = false;
                    CatalogTelemetry.NoteDelivery(kind, delivered: false);
                    log.LogError(failure, "{Kind} of media {MediaId} could not be delivered", row.Kind, row.MediaId);
                }
            }
        }

        return all;
    }
}
