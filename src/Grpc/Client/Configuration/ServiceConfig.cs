using Grpc.Core;

namespace Grpc.Net.Client.Configuration;

/// <summary>What the owner of a service says about how it is to be called.</summary>
public sealed class ServiceConfig
{
    /// <summary>The first that is known here counts; none: pick_first.</summary>
    public IList<LoadBalancingConfig> LoadBalancingConfigs { get; } = [];

    public IList<MethodConfig> MethodConfigs { get; } = [];

    /// <summary>Stops retries while too many calls fail; null: nothing does.</summary>
    public RetryThrottlingPolicy? RetryThrottling { get; set; }
}

public sealed class MethodConfig
{
    /// <summary>The methods that it is for.</summary>
    public IList<MethodName> Names { get; } = [];

    /// <summary>Null: no retries.</summary>
    public RetryPolicy? RetryPolicy { get; set; }
}

/// <summary>One method; without a method a whole service; without both all. The closest counts.</summary>
public sealed class MethodName
{
    public static readonly MethodName Default = new();

    public string? Service { get; set; }

    public string? Method { get; set; }
}

/// <summary>When a call is made again. All but the limit on backoff are to be set.</summary>
public sealed class RetryPolicy
{
    /// <summary>With the first one, at least 2; the channel's own limit goes before it.</summary>
    public int? MaxAttempts { get; set; }

    /// <summary>Before the first retry, a fifth more or less.</summary>
    public TimeSpan? InitialBackoff { get; set; }

    public TimeSpan? MaxBackoff { get; set; }

    /// <summary>From one retry to the next.</summary>
    public double? BackoffMultiplier { get; set; }

    public ICollection<StatusCode> RetryableStatusCodes { get; } = new HashSet<StatusCode>();
}

/// <summary>
/// A failed call takes a token and a successful one brings back a part of one; with half of them or fewer left nothing
/// is retried.
/// </summary>
public sealed class RetryThrottlingPolicy
{
    public int? MaxTokens { get; set; }

    public double? TokenRatio { get; set; }
}

public abstract class LoadBalancingConfig
{
    public const string PickFirstPolicyName = "pick_first";
    public const string RoundRobinPolicyName = "round_robin";

    private protected LoadBalancingConfig(string policyName) => PolicyName = policyName;

    public string PolicyName { get; }
}

/// <summary>All calls go to the first address that can be reached.</summary>
public sealed class PickFirstConfig() : LoadBalancingConfig(PickFirstPolicyName);

/// <summary>Calls go to all addresses that can be reached, in turn.</summary>
public sealed class RoundRobinConfig() : LoadBalancingConfig(RoundRobinPolicyName);
