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
