using Microsoft.Extensions.Hosting;

namespace Hexcast.Catalog.Versions;

/// <summary>
/// Keeps one follower for each version whose job has not ended, the oldest first. Each holds a stream of the master's,
/// which takes a limited number of them: what is beyond ours is followed when others have ended.
/// </summary>
internal sealed class JobFollowers(CatalogStore store, JobFollower follower) : BackgroundService
{
    /// <summary>Somewhat fewer than the streams of one method that a node takes, 16,384.</summary>
    internal const int MaxFollowed = 16_000;

    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(30);

    /// <summary>Which of the followed ones get a follower now.</summary>
    internal static IReadOnlyList<string> ToStart(IEnumerable<string> followed, IReadOnlyCollection<string> running) =>
        [.. followed.Except(running, StringComparer.Ordinal).Take(MaxFollowed - running.Count)];

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

                foreach (var version in ToStart(store.Read(VersionTable.Followed), running.Keys))
                {
                    running[version] = follower.FollowAsync(version, stoppingToken);
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
