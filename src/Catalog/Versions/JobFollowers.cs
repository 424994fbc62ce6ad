using Microsoft.Extensions.Hosting;

namespace Hexcast.Catalog.Versions;

/// <summary>Keeps one follower for each version whose job has not ended.</summary>
internal sealed class JobFollowers(CatalogStore store, JobFollower follower) : BackgroundService
{
    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var running = new Dictionary<string, Task>(StringComparer.Ordinal);
        try
        {
            while (true)
            {
                foreach (var (version, ended) in running.Where(entry => entry.Value.IsCompleted).ToList())
                {
                    running.Remove(version);
                    await ended;
                }

                foreach (var version in store.Read(VersionTable.Followed))
                {
                    if (!running.ContainsKey(version))
                    {
                        running[version] = follower.FollowAsync(version, stoppingToken);
                    }
                }

                await store.VersionAdded.WaitAsync(Resync, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            await Task.WhenAll(running.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
