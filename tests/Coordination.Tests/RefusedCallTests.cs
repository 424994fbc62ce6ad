using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Peers;
using Hexcast.Coordination.Tests.Embedded.Log;
using Hexcast.Platform.Errors;
using Hexcast.Raft;
using Microsoft.Extensions.Logging.Abstractions;
using Status = Grpc.Core.Status;

namespace Hexcast.Coordination.Tests;

/// <summary>RESOURCE_EXHAUSTED is what a gate says that lets no more calls in, and a call whose message is too large.
/// Of the one the same may be asked again, of the other only less.</summary>
public sealed class RefusedCallTests
{
    private const ulong Leader = 2;

    private static readonly RpcException ByTheGate = new Google.Rpc.Status
    {
        Code = (int)StatusCode.ResourceExhausted,
        Message = "Too many calls of this method. Try again in 1 s.",
        Details = { Any.Pack(new ErrorInfo { Reason = ErrorCodes.ResourceExhausted, Domain = "hexcast" }) },
    }.ToRpcException();

    private static readonly RpcException BySize = new(new Status(
        StatusCode.ResourceExhausted, "A message of 5000000 bytes is over the limit of 4194304 for receiving."));

    private static readonly RpcException ByQueue =
        new(CoordinatorErrors.StatusOf(CoordinatorError.TooManyRequests));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_client_tells_too_many_calls_from_too_large_a_message()
    {
        CoordinatorErrors.Translate(ByTheGate).Error.ShouldBe(CoordinatorError.TooManyRequests);
        CoordinatorErrors.Translate(ByQueue).Error.ShouldBe(CoordinatorError.TooManyRequests);
        CoordinatorErrors.Translate(BySize).Error.ShouldBe(CoordinatorError.RequestTooLarge);
    }

    [Fact]
    public async Task A_member_that_asks_its_leader_tells_them_apart_for_its_own_caller()
    {
        (await AskAsync(ByTheGate)).ShouldBe((CoordinatorError.TooManyRequests, CoordinatorError.TooManyRequests));
        (await AskAsync(ByQueue)).ShouldBe((CoordinatorError.TooManyRequests, CoordinatorError.TooManyRequests));
        // Only an answer can be too large, and where a write has one it has been done.
        (await AskAsync(BySize)).ShouldBe((CoordinatorError.RequestTooLarge, CoordinatorError.LeaderLost));
    }

    /// <returns>What a read and a write come to at a member whose leader refuses its calls.</returns>
    private static async Task<(CoordinatorError Read, CoordinatorError Write)> AskAsync(RpcException refusal)
    {
        var peers = new RefusingLeader(refusal);
        await using var member = EmbeddedCoordinator.Start(
            new MemoryDisk(), new MemberIdentity("test", "node-1", 1, "127.0.0.1:1"), new MemberRecord { Id = 1 },
            new CoordinatorLimits { Raft = RaftOptions.For(TimeSpan.FromMinutes(1)) }, peers,
            new CoordinatorHost(TimeProvider.System, NullLogger.Instance, _ => { }, Seed: 1));
        member.Receive(new Hexcast.Raft.RaftMessage.Heartbeat(Leader, Term: 1, Commit: 0, Round: 0));
        var requests = new Requests(member, peers, TimeProvider.System);
        var read = await Should.ThrowAsync<RpcException>(() => requests.ReadAsync<LeaseTimeToLiveResponse>(
            new LeaseTimeToLiveRequest { ID = 7 }, Cancellation));
        var write = await Should.ThrowAsync<RpcException>(() => requests.ProposeAsync<LeaseRevokeResponse>(
            new Command { LeaseRevoke = new LeaseRevokeRequest { ID = 7 } }, Cancellation));
        return (ErrorOf(read), ErrorOf(write));
    }

    private static CoordinatorError ErrorOf(RpcException refused) => new[]
    {
        CoordinatorError.TooManyRequests, CoordinatorError.RequestTooLarge, CoordinatorError.LeaderLost,
    }.Single(error => CoordinatorErrors.StatusOf(error).Equals(refused.Status));

    private sealed class RefusingLeader(RpcException refusal) : IPeers
    {
        public void Send(ulong to, Hexcast.Raft.RaftMessage message) => to.ShouldBe(Leader);

        public void Follow(IReadOnlyList<SavedMember> known, Hexcast.Raft.Members group) => known.ShouldBeEmpty();

        public Task<AskLeaderResponse?> AskLeaderAsync(
            ulong leader, AskLeaderRequest request, CancellationToken cancellation) =>
            Task.FromException<AskLeaderResponse?>(refusal);
    }
}
