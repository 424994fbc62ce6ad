namespace Grpc.Core;

/// <summary>What of a call that a server answers goes over to the calls that it makes for it.</summary>
public class ContextPropagationOptions(bool propagateDeadline = true, bool propagateCancellation = true)
{
    public static readonly ContextPropagationOptions Default = new();

    public bool IsPropagateDeadline { get; } = propagateDeadline;

    public bool IsPropagateCancellation { get; } = propagateCancellation;
}

/// <summary>Ties a call to the one that it is made for; see <see cref="CallOptions.PropagationToken"/>.</summary>
public class ContextPropagationToken
{
    internal ContextPropagationToken(DateTime deadline, CancellationToken cancellationToken)
    {
        Deadline = deadline;
        CancellationToken = cancellationToken;
    }

    internal DateTime Deadline { get; }

    internal CancellationToken CancellationToken { get; }
}
