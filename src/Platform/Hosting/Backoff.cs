using System.Security.Cryptography;

namespace Hexcast.Platform.Hosting;

/// <summary>
/// The one retry policy: a delay that doubles from <paramref name="first"/> to <paramref name="limit"/>, with up to
/// half of it taken off at random so that many callers do not return at once.
/// </summary>
public sealed class Backoff(TimeSpan first, TimeSpan limit, TimeProvider clock)
{
    private int failures;

    /// <summary>Call after a success: the next failure waits the first delay again.</summary>
    public void Reset() => failures = 0;

    public Task WaitAsync(CancellationToken cancel)
    {
        var full = Math.Min(limit.TotalMilliseconds, first.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 30)));
        failures++;
        var jitter = RandomNumberGenerator.GetInt32(500, 1001) / 1000.0;
        return Task.Delay(TimeSpan.FromMilliseconds(full * jitter), clock, cancel);
    }
}
