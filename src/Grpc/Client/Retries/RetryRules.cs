using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client.Configuration;

namespace Grpc.Net.Client.Retries;

/// <summary>A retry policy that is complete and within its bounds.</summary>
sealed record RetryRules(
    int MaxAttempts,
    TimeSpan InitialBackoff,
    TimeSpan MaxBackoff,
    double BackoffMultiplier,
    IReadOnlySet<StatusCode> RetryableStatusCodes)
{
    const int MinAttempts = 2;

    public static RetryRules From(RetryPolicy policy, int? channelLimit) => new(
        Math.Min(AtLeast(MinAttempts, policy.MaxAttempts, nameof(policy.MaxAttempts)), channelLimit ?? int.MaxValue),
        Positive(policy.InitialBackoff, nameof(policy.InitialBackoff)),
        Positive(policy.MaxBackoff, nameof(policy.MaxBackoff)),
        policy.BackoffMultiplier is > 0 and { } factor ? factor : throw Wrong(nameof(policy.BackoffMultiplier)),
        policy.RetryableStatusCodes.Count > 0
            ? policy.RetryableStatusCodes.ToHashSet()
            : throw Wrong(nameof(policy.RetryableStatusCodes)));

    static int AtLeast(int least, int? value, string name) => value >= least ? value.Value : throw Wrong(name);

    static TimeSpan Positive(TimeSpan? value, string name) => value > TimeSpan.Zero ? value.Value : throw Wrong(name);

    static InvalidOperationException Wrong(string name) =>
        new($"The retry policy's {name} is not set, or not to what it can be.");
}

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

/// <summary>The channel's count of how well its calls go; shared by them all.</summary>
sealed class RetryThrottle
{
    readonly Lock _gate = new();
    readonly int _maxTokens;
    readonly double _tokenRatio;
    double _tokens;

    public RetryThrottle(RetryThrottlingPolicy policy)
    {
        _maxTokens = policy.MaxTokens is > 0 and { } tokens ? tokens : throw Wrong(nameof(policy.MaxTokens));
        _tokenRatio = policy.TokenRatio is > 0 and { } ratio ? ratio : throw Wrong(nameof(policy.TokenRatio));
        _tokens = _maxTokens;
    }

    /// <summary>Nothing is retried now.</summary>
    public bool IsActive
    {
        get
        {
            lock (_gate)
                return _tokens <= _maxTokens / 2.0;
        }
    }

    public void OnFailure()
    {
        lock (_gate)
            _tokens = Math.Max(_tokens - 1, 0);
    }

    public void OnSuccess()
    {
        lock (_gate)
            _tokens = Math.Min(_tokens + _tokenRatio, _maxTokens);
    }

    static InvalidOperationException Wrong(string name) =>
        new($"The retry throttling's {name} is not set, or not above 0.");
}
