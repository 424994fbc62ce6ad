using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded.Log;

namespace Hexcast.Coordination.Embedded.Peers;

/// <summary>The other members of the group.</summary>
internal interface IPeers
{
    /// <summary>Never waits; what cannot be sent is lost.</summary>
    void Send(ulong to, Hexcast.Raft.RaftMessage message);

    /// <summary>Where they are reached from now on.</summary>
    void Follow(IReadOnlyList<SavedMember> members);

    /// <exception cref="Grpc.Core.RpcException">It did not answer. Whether it has done it is unknown.</exception>
    Task<AskLeaderResponse> AskLeaderAsync(ulong leader, AskLeaderRequest request, CancellationToken cancellation);
}
