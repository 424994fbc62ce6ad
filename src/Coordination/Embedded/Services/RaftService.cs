using System.Globalization;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded.Peers;
using Hexcast.Platform.Cluster;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Coordination.Embedded.Services;

/// <summary>What the other members of the group say to this one.</summary>
internal sealed class RaftService(EmbeddedCoordinatorHolder holder, IHostApplicationLifetime process)
    : Contracts.V1.Raft.RaftBase
{
    public override async Task<SayResponse> Say(
        IAsyncStreamReader<RaftMessage> requestStream, ServerCallContext context)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken, process.ApplicationStopping);
        var coordinator = holder.Coordinator;
        var from = Introduce(context);
        try
        {
            while (await requestStream.MoveNext(stop.Token))
            {
                if (requestStream.Current.From != from)
                {
                    throw new RpcException(new Status(
                        StatusCode.InvalidArgument, "A member speaks for itself only."));
                }
                if (WireMessages.FromWire(requestStream.Current) is { } message)
                {
                    coordinator.Receive(message);
                }
            }
        }
        catch (InvalidDataException malformed)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, malformed.Message));
        }
        catch (Exception broken) when (broken is OperationCanceledException or IOException)
        {
            // The other one left, or this one stops.
        }
        return new SayResponse();
    }

    public override Task<AskLeaderResponse> AskLeader(AskLeaderRequest request, ServerCallContext context)
    {
        Introduce(context);
        return holder.Requests.AnswerAsync(request, context.CancellationToken);
    }

    /// <summary>
    /// A node speaks as the member that it is. Of one that this member has not heard of yet, as when it has only just
    /// joined itself, the certificate of the cluster has to do.
    /// </summary>
    private void RequireOwner(ulong id, string? caller)
    {
        var owner = holder.Coordinator.Standing.Known.FirstOrDefault(member => member.Id == id)?.Node;
        if (caller is not null && owner is not null && owner != caller)
        {
            throw new RpcException(new Status(
                StatusCode.PermissionDenied, $"{caller} cannot speak for the member of {owner}."));
        }
    }

    /// <summary>
    /// A group that was recovered from one member goes on beside what the others still have of the old one: their
    /// terms and entries, taken for those of this group, would undo it.
    /// </summary>
    private void RequireSameGroup(string? group)
    {
        // Early versions say nothing.
        if ((ulong.TryParse(group, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var of) ? of : 0)
            != holder.Self.Group)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition,
                $"{holder.Settings.NodeName} is of another group: the coordinator was recovered or begun anew there. " +
                "Stop the node that is to go, remove its cluster, coordinator and node.id, and join by a new name."));
        }
    }

    /// <summary>Who calls, from where. A member of another cluster that has been given this one's address is refused.
    /// </summary>
    private ulong Introduce(ServerCallContext context)
    {
        var headers = context.RequestHeaders;
        if (headers.GetValue(PeerSelf.ClusterHeader) != holder.Self.Cluster)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition, $"This is a member of the cluster {holder.Self.Cluster}."));
        }
        if (!ulong.TryParse(
            headers.GetValue(PeerSelf.MemberHeader), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var id)
            || headers.GetValue(PeerSelf.AddressHeader) is not { } address || !PeerSelf.IsAddress(address))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "A member says its id and its address."));
        }
        RequireOwner(id, CallingNode.Of(context.GetHttpContext()));
        RequireSameGroup(headers.GetValue(PeerSelf.GroupHeader));
        holder.Meet(id, address);
        return id;
    }
}
