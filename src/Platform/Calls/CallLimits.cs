using Grpc.Core;

namespace Hexcast.Platform.Calls;

/// <summary>How many calls of one gRPC method a node takes. What is not set is as for its kind of method.</summary>
public sealed record CallLimits
{
    /// <summary>Many at once make each slow; more than are worth waiting for make all slow.</summary>
    internal static readonly CallLimits OfCalls = new() { MaxRunning = 256, MaxQueued = 1024 };

    /// <summary>A stream lives long: one more than fit would wait for ever.</summary>
    internal static readonly CallLimits OfStreams = new() { MaxRunning = 16_384, MaxQueued = 0 };

    /// <summary>Of each class, over time; null is as many as come.</summary>
    public double? RatePerSecond { get; set; }

    /// <summary>Of each class, at once; null is what a second brings.</summary>
    public int? Burst { get; set; }

    /// <summary>Of all classes together.</summary>
    public int? MaxRunning { get; set; }

    /// <summary>Of each class, while <see cref="MaxRunning"/> run; the most urgent class goes first.</summary>
    public int? MaxQueued { get; set; }

    internal bool IsValid => RatePerSecond is null or (> 0 and <= 1e6) && Burst is null or (>= 1 and <= 1_000_000)
        && MaxRunning is null or (>= 1 and <= 1_000_000) && MaxQueued is null or (>= 0 and <= 1_000_000);

    internal CallLimits Of(MethodType type)
    {
        var kind = type == MethodType.Unary ? OfCalls : OfStreams;
        return this with { MaxRunning = MaxRunning ?? kind.MaxRunning, MaxQueued = MaxQueued ?? kind.MaxQueued };
    }
}
