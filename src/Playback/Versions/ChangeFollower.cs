using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Playback.Versions;

/// <summary>
/// Tells the cache what changes. It keeps no cursor: whenever the stream begins anew the cache starts empty, and what
/// is loaded after that is newer than anything that was missed.
/// </summary>
internal sealed class ChangeFollower(
    Wire.Catalog.CatalogClient catalog, VersionCache cache, TimeProvider clock, ILogger<ChangeFollower> log)
    : BackgroundService
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100), LastRetry = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(backoff, stoppingToken);
            }
            catch (Exception failure) when (failure is RpcException or IOException)
            {
                if (!stoppingToken.IsCancellationRequested)
                {
                    log.LogInformation("Catalog's changes cannot be heard, asking again: {Reason}", failure.Message);
                }
            }
            finally
            {
                cache.MissChanges();
            }

            await backoff.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FollowAsync(Backoff backoff, CancellationToken cancel)
    {
        using var call = catalog.WatchMedia(new Wire.WatchMediaRequest(), cancellationToken: cancel);
        while (await call.ResponseStream.MoveNext(cancel))
        {
            var change = call.ResponseStream.Current;
            if (change.Kind == Wire.MediaChange.Types.Kind.Started)
            {
                cache.HearChanges();
                backoff.Reset();
            }
            else if (MediaId.TryParse(change.MediaId, out var mediaId))
            {
                cache.Forget(mediaId);
            }
        }
    }
}
