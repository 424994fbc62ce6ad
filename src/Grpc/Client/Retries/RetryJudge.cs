using System.Globalization;
using Grpc.Core;

namespace Grpc.Net.Client.Retries;

/// <summary>
/// Whether one call is tried again, and when: the rules of gRPC's proposal A6. No clock and no chance inside: a random
/// number comes with each question.
/// </summary>
sealed class RetryJudge(RetryRules rules, RetryThrottle? throttle)
{
    public const string PushbackHeader = "grpc-retry-pushback-ms";
    const double Jitter = 0.2;

    TimeSpan _nextBackoff = rules.InitialBackoff;

    /// <summary>Attempts that have failed.</summary>
    public int Failures { get; private set; }

    /// <summary>An attempt has failed before the server sent headers. How long to wait; null: no more.</summary>
    /// <param name="status">What it failed with.</param>
    /// <param name="pushback">What the server said about trying again, in milliseconds; null: nothing.</param>
    /// <param name="random">From 0 to 1.</param>
    public TimeSpan? OnFailure(StatusCode status, string? pushback, double random)
    {
        Failures++;
        var isRetryable = rules.RetryableStatusCodes.Contains(status);
        int? waitMilliseconds = null;
        if (pushback is not null)
        {
            waitMilliseconds = int.TryParse(
                pushback, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : -1;
        }

        var isRefused = waitMilliseconds < 0;
        if (isRetryable || isRefused)
            throttle?.OnFailure();
        if (!isRetryable || isRefused || Failures >= rules.MaxAttempts || throttle is { IsActive: true })
            return null;

        if (waitMilliseconds is { } wait)
        {
            _nextBackoff = rules.InitialBackoff;
            return TimeSpan.FromMilliseconds(wait);
        }

        var backoff = _nextBackoff * (1 - Jitter + (2 * Jitter * random));
        _nextBackoff = Min(_nextBackoff * rules.BackoffMultiplier, rules.MaxBackoff);
        return Min(backoff, rules.MaxBackoff * (1 + Jitter));
    }

    static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
