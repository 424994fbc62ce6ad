using Hexcast.Master.Scheduling;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Microsoft.Extensions.Logging;

namespace Hexcast.Master;

/// <summary>
/// Removes what attempts that lost have left. Harmless to repeat, and repeated until it succeeds: until then the job
/// does not end.
/// </summary>
internal sealed class ObjectSweeper(IObjectStore objects, TimeProvider clock, ILogger<ObjectSweeper> log)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(10);

    public async Task SweepAsync(Sweep sweep, CancellationToken cancel)
    {
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (true)
        {
            try
            {
                foreach (var prefix in sweep.Prefixes)
                {
                    await objects.DeletePrefixAsync(prefix, cancel);
                }

                return;
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                log.LogWarning(failure, "Objects of job {JobId} cannot be removed; trying again", sweep.JobId);
                await backoff.WaitAsync(cancel);
            }
        }
    }
}
