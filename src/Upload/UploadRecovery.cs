using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Upload;

/// <summary>
/// Finishes what a crash or an absent Catalog left half done, and removes what has expired.
/// </summary>
internal sealed class UploadRecovery(UploadStore store, TimeProvider clock, ILogger<UploadRecovery> log)
    : BackgroundService
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        try
        {
            var pending = store.Loaded;
            while (true)
            {
                var (failed, busy) = await RecoverAsync(pending, stoppingToken);
                await SweepAsync(stoppingToken);
                if (failed > 0)
                {
                    await backoff.WaitAsync(stoppingToken);
                }
                else
                {
                    backoff.Reset();
                    await store.UnpublishedAsync(busy.Count > 0 ? LastRetry : SweepInterval, stoppingToken);
                }

                pending = [.. store.All.Where(upload => upload.IsUnpublished).Union(busy)];
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task<(int Failed, IReadOnlyList<StoredUpload> Busy)> RecoverAsync(
        IReadOnlyList<StoredUpload> uploads, CancellationToken stop)
    {
        var failed = 0;
        var busy = new List<StoredUpload>();
        foreach (var upload in uploads)
        {
            try
            {
                if (!await upload.TryRecoverAsync(stop))
                {
                    busy.Add(upload);
                }
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !stop.IsCancellationRequested)
            {
                failed++;
                log.LogWarning(failure, "Upload {MediaId} cannot be finished yet", upload.Description.MediaId);
            }
        }

        return (failed, busy);
    }

    private async Task SweepAsync(CancellationToken stop)
    {
        foreach (var upload in store.All)
        {
            try
            {
                await upload.SweepAsync(store.Options.ExpireAfter, stop);
            }
            catch (IOException failure)
            {
                log.LogWarning(failure, "Upload {MediaId} expired, but stays", upload.Description.MediaId);
            }
        }
    }
}
