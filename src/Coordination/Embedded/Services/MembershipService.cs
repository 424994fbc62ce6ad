using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Discovery;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Peers;
using Hexcast.Platform.Hosting;
using Hexcast.Raft;
using MembershipClient = Hexcast.Contracts.V1.Membership.MembershipClient;

namespace Hexcast.Coordination.Embedded.Services;

/// <summary>Who belongs to the group. The leader does it; every other member passes it on.</summary>
internal sealed class MembershipService(EmbeddedCoordinatorHolder holder, ClusterNodes nodes, TimeProvider clock)
    : Membership.MembershipBase, IDisposable
{
    private const string ForwardedHeader = "hexcast-forwarded";

    /// <summary>Members that may pass one request on: to the leader, by one that hands over to the next, and each of
    /// them by one that took another for the leader.</summary>
    private const byte MaximumForwards = 4;

    /// <summary>Longer than an election.</summary>
    private static readonly TimeSpan LeaderPatience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan ChangeLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMilliseconds(500);

    /// <summary>One change after the other: how many members there are is looked at before.</summary>
    private readonly SemaphoreSlim _changing = new(1);

    public void Dispose() => _changing.Dispose();

    public override async Task<JoinGroupResponse> JoinGroup(JoinGroupRequest request, ServerCallContext context)
    {
        if (request.Id == 0 || request.Node.Length is 0 or > 63 || !PeerSelf.IsAddress(request.Address))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "A node says its id, name and address."));
        }
        if (holder.IsMember && holder.Coordinator.Standing.Members.Contains(request.Id))
        {
            // Before it is written down where that member is: there may be no majority to write it without it.
            holder.Meet(request.Id, request.Address);
        }
        if (await ForwardAsync(context, (leader, call) => leader.JoinGroupAsync(request, call)) is { } answer)
        {
            return answer;
        }
        await _changing.WaitAsync(context.CancellationToken);
        try
        {
            return await LetInAsync(request, context.CancellationToken);
        }
        finally
        {
            _changing.Release();
        }
    }

    public override async Task<DescribeClusterResponse> DescribeCluster(
        DescribeClusterRequest request, ServerCallContext context)
    {
        var since = clock.GetTimestamp();
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (true)
        {
            try
            {
                return await ForwardAsync(context, (leader, call) => leader.DescribeClusterAsync(request, call))
                    ?? DescribeHere(await nodes.DescribeProvenAsync(context.CancellationToken));
            }
            catch (RpcException) when (IsForwarded(context) || context.CancellationToken.IsCancellationRequested)
            {
                throw;
            }
            catch (RpcException) when (holder is { IsMember: true, Coordinator.Standing.IsLeaderless: false }
                && clock.GetElapsedTime(since) < LeaderPatience)
            {
                // Whoever led is gone perhaps, and another one will in a moment.
                await backoff.WaitAsync(context.CancellationToken);
            }
            catch (RpcException unanswered)
            {
                // What this node knows is better than nothing. Whom it takes for the master, nobody confirms.
                var known = DescribeHere(nodes.Describe());
                (known.Master, known.Unanswered) = ("", unanswered.Status.Detail);
                return known;
            }
        }
    }

    public override async Task<RemoveNodeResponse> RemoveNode(RemoveNodeRequest request, ServerCallContext context)
    {
        if (await ForwardAsync(context, (leader, call) => leader.RemoveNodeAsync(request, call)) is { } answer)
        {
            return answer;
        }
        await nodes.RequireRemovableAsync(
            request.Node, holder.Coordinator.Standing.Known.Any(member => member.Node == request.Node), request.Force,
            context.CancellationToken);
        if (request.Node == holder.Settings.NodeName)
        {
            // Another one has to lead when this one goes, and finish it.
            await StepDownAsync(context.CancellationToken);
            return await ForwardAsync(context, (leader, call) => leader.RemoveNodeAsync(request, call))
                ?? throw EmbeddedCoordinator.Refusal(CoordinatorError.NoLeader);
        }
        await _changing.WaitAsync(context.CancellationToken);
        try
        {
            await RemoveAsync(request.Node, context.CancellationToken);
            return new RemoveNodeResponse();
        }
        finally
        {
            _changing.Release();
        }
    }

    public override async Task<TransferLeadershipResponse> TransferLeadership(
        TransferLeadershipRequest request, ServerCallContext context)
    {
        if (request is { Node: "", From: "" } && !IsForwarded(context))
        {
            request.From = holder.Settings.NodeName;
        }
        if (await ForwardAsync(context, (leader, call) => leader.TransferLeadershipAsync(request, call)) is { } answer)
        {
            return answer;
        }
        if (request.From.Length > 0 && request.From != holder.Settings.NodeName)
        {
            throw Refusal(
                $"{request.From} does not lead, {holder.Settings.NodeName} does; nothing was handed over. That one " +
                $"hands over by hexcast cluster transfer --from {holder.Settings.NodeName}");
        }
        var standing = holder.Coordinator.Standing;
        var to = request.Node.Length > 0 ? Find(request.Node) : Heir(standing);
        // Only where the next leader is named may another one hand over to it: it leads in the end, and that is all.
        var isAnybody = request is { From: "", Node.Length: > 0 };
        await holder.Requests.TransferAsync(to.Id, isAnybody ? 0 : standing.Term, context.CancellationToken);
        return new TransferLeadershipResponse { Node = to.Node };
    }

    private async Task StepDownAsync(CancellationToken cancellation)
    {
        var standing = holder.Coordinator.Standing;
        try
        {
            await holder.Requests.TransferAsync(Heir(standing).Id, standing.Term, cancellation);
        }
        catch (RpcException) when (holder.Coordinator.Standing.Leader != holder.Self.Id)
        {
            // It has lost the leadership by itself.
        }
    }

    /// <summary>Each step does no harm when it is done again: what was begun can be finished by asking once more.
    /// </summary>
    private async Task RemoveAsync(string node, CancellationToken cancellation)
    {
        var standing = holder.Coordinator.Standing;
        var known = standing.Known.Where(member => member.Node == node).ToList();
        foreach (var member in known.Where(member => standing.Members.Contains(member.Id)))
        {
            await ChangeAsync(MemberChange.Remove, member.Id, cancellation);
        }
        // Also one that is not there, and was never a member: its certificate is what has to count no more.
        await nodes.ShutOutAsync(node, cancellation);
        foreach (var member in known)
        {
            await holder.Requests.ProposeAsync<Empty>(
                new Command { MemberRemove = member.Id }, cancellation);
        }
    }

    /// <summary>Whoever has most of the log.</summary>
    private SavedMember Heir(Standing standing) => standing.Known
        .Where(member => member.Id != holder.Self.Id && standing.Members.IsVoter(member.Id))
        .MaxBy(member => standing.Matches.GetValueOrDefault(member.Id))
        ?? throw Refusal("there is no other voter");

    private async Task<JoinGroupResponse> LetInAsync(JoinGroupRequest request, CancellationToken cancellation)
    {
        var standing = holder.Coordinator.Standing;
        var isMember = standing.Members.Contains(request.Id);
        if (!isMember && standing.Known.Any(known =>
            known.Node == request.Node && known.Id != request.Id && standing.Members.Contains(known.Id)))
        {
            throw new RpcException(new Status(
                StatusCode.AlreadyExists,
                $"{request.Node} is a member already. If it has lost its data, remove it first: " +
                $"hexcast cluster remove {request.Node}; then " + (holder.Settings.Scheme == "https"
                    ? "remove its cluster, coordinator and node.id, and let it join by a new name."
                    : "start it again.")));
        }
        if (isMember || (request.MayLead && standing.Members.Count < holder.Settings.Limits.Voters))
        {
            // First where it is reached: whoever hears of it as a member wants to speak to it.
            var member = new SavedMember { Id = request.Id, Node = request.Node, Address = request.Address };
            if (!standing.Known.Contains(member))
            {
                await holder.Requests.ProposeAsync<Empty>(
                    new Command { MemberPut = member }, cancellation);
            }
            if (!isMember)
            {
                await ChangeAsync(MemberChange.AddLearner, request.Id, cancellation);
                isMember = true;
            }
        }
        var response = new JoinGroupResponse { IsMember = isMember, Group = holder.Self.Group };
        response.Members.AddRange(Describe(holder.Coordinator.Standing));
        return response;
    }

    /// <summary>One that is refused because another is under way is asked again.</summary>
    private async Task ChangeAsync(MemberChange change, ulong member, CancellationToken cancellation)
    {
        var since = clock.GetTimestamp();
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (true)
        {
            try
            {
                await holder.Requests.ChangeMembersAsync(change, member, cancellation);
                return;
            }
            catch (RpcException refused) when (refused.StatusCode == StatusCode.Aborted
                && clock.GetElapsedTime(since) < ChangeLimit)
            {
                await backoff.WaitAsync(cancellation);
            }
        }
    }

    private SavedMember Find(string node) =>
        holder.Coordinator.Standing.Known.FirstOrDefault(member => member.Node == node)
        ?? throw new RpcException(new Status(StatusCode.NotFound, $"{node} is no member of the group."));

    private static IEnumerable<GroupMember> Describe(Standing standing)
    {
        foreach (var known in standing.Known.Where(known => standing.Members.Contains(known.Id)))
        {
            var member = new GroupMember
            {
                Id = known.Id, Node = known.Node, Address = known.Address,
                IsVoter = standing.Members.IsVoter(known.Id),
            };
            if (standing.Matches.TryGetValue(known.Id, out var match))
            {
                member.MatchIndex = match;
            }
            yield return member;
        }
    }

    private DescribeClusterResponse DescribeHere(DescribeClusterResponse answer)
    {
        if (holder.IsMember)
        {
            var standing = holder.Coordinator.Standing;
            (answer.Leader, answer.Term) = (standing.Leader, standing.Term);
            answer.Members.AddRange(Describe(standing));
            answer.LastIndex = standing.Matches.GetValueOrDefault(holder.Coordinator.Identity.MemberId);
        }
        return answer;
    }

    private static bool IsForwarded(ServerCallContext context) => ForwardsOf(context.RequestHeaders) > 0;

    /// <returns>Null: this member leads.</returns>
    private async Task<T?> ForwardAsync<T>(
        ServerCallContext context, Func<MembershipClient, CallOptions, AsyncUnaryCall<T>> call) where T : class
    {
        if (!holder.IsMember && holder.Elsewhere is { } members)
        {
            return await call(new MembershipClient(members), Passed(context));
        }
        var coordinator = holder.Coordinator;
        if (await LeaderAsync(coordinator, context) is not { } leader)
        {
            // A leader that was elected just now may not have applied who its members are.
            await holder.Requests.ReadAsync<RangeResponse>(
                new RangeRequest { Key = StateMachine.ElectionKey }, context.CancellationToken);
            return null;
        }
        using var channel = holder.Settings.Open(leader.Address);
        return await call(new MembershipClient(channel.CreateCallInvoker()), Passed(context));
    }

    private static CallOptions Passed(ServerCallContext context)
    {
        var forwards = ForwardsOf(context.RequestHeaders);
        return forwards >= MaximumForwards
            ? throw EmbeddedCoordinator.Refusal(CoordinatorError.NoLeader)
            : new CallOptions(
                new Metadata { { ForwardedHeader, $"{forwards + 1}" } }, context.Deadline, context.CancellationToken);
    }

    /// <returns>Null: this member leads.</returns>
    /// <exception cref="RpcException">UNAVAILABLE: nobody does, for longer than an election.</exception>
    private async Task<SavedMember?> LeaderAsync(EmbeddedCoordinator coordinator, ServerCallContext context)
    {
        var since = clock.GetTimestamp();
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (true)
        {
            var standing = coordinator.Standing;
            if (standing.Leader == coordinator.Identity.MemberId)
            {
                return null;
            }
            var leader = standing.Known.FirstOrDefault(member => member.Id == standing.Leader);
            if (leader is not null)
            {
                return leader;
            }
            if (standing.IsLeaderless || clock.GetElapsedTime(since) >= LeaderPatience)
            {
                throw new RpcException(new Status(
                    StatusCode.Unavailable,
                    $"no majority of the {standing.Members.Voters.Count} voters answers, so nobody leads; " +
                    "bring voters back, then ask again"));
            }
            await backoff.WaitAsync(context.CancellationToken);
        }
    }

    private static byte ForwardsOf(Metadata headers) => headers.GetValue(ForwardedHeader) switch
    {
        null => 0,
        var said => byte.TryParse(said, NumberStyles.None, CultureInfo.InvariantCulture, out var forwards)
            ? forwards
            : MaximumForwards,
    };

    private static RpcException Refusal(string words) => new(new Status(StatusCode.FailedPrecondition, words));
}
