using Grpc.Core;
using Grpc.Net.Client;

namespace Hexcast.Coordination.Client.Members;

/// <summary>A channel to one member, and why it cannot be used where gRPC itself does not know.</summary>
internal sealed class MemberLink : IDisposable
{
    private readonly GrpcChannel channel;
    private readonly Func<RpcException, CoordinatorException?> fault;
    private volatile bool isGivenUp;

    public MemberLink(string member, GrpcChannel channel, Func<RpcException, CoordinatorException?> fault)
    {
        (Member, this.channel, this.fault) = (member, channel, fault);
        Invoker = channel.CreateCallInvoker();
    }

    /// <summary>Its address, as it is configured.</summary>
    public string Member { get; }

    public CallInvoker Invoker { get; }

    /// <summary>It answers no longer: what ran over it has failed for this reason.</summary>
    public bool IsGivenUp => isGivenUp;

    /// <summary>The failure of a call over this link, by its name.</summary>
    public CoordinatorException NameOf(RpcException failed)
    {
        if (failed.StatusCode is StatusCode.Unavailable or StatusCode.Internal && fault(failed) is { } known)
        {
            return known;
        }

        if (IsGivenUp)
        {
            return new CoordinatorException(
                CoordinatorError.Unavailable, $"{Member} was given up: it did not answer any more.", failed);
        }

        var named = CoordinatorErrors.Translate(failed);
        return failed.Status.DebugException is { } below && named.Error == CoordinatorError.Unavailable
            ? new CoordinatorException(named.Error, $"{Member}: {below.GetBaseException().Message}", failed)
            : named;
    }

    /// <summary>Its calls end at once, streams too.</summary>
    public void GiveUp()
    {
        isGivenUp = true;
        Dispose();
    }

    public void Dispose() => channel.Dispose();
}
