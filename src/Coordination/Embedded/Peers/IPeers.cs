using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded.Peers;

/// <summary>The other members of the group.</summary>
internal interface IPeers
{
    /// <summary>Never waits; what cannot be sent is lost.</summary>
    void Send(ulong to, Hexcast.Raft.RaftMessage message);

    /// <summary>Where they are reached from now on. Lines to those that are not even in the group are closed.</summary>
    void Follow(IReadOnlyList<SavedMember> known, Members group);

    /// <returns>Null: it was not asked, for nobody knows where it is.</returns>
    /// <exception cref="Grpc.Core.RpcException">It did not answer. Whether it has done it is unknown.</exception>
    Task<AskLeaderResponse?> AskLeaderAsync(ulong leader, AskLeaderRequest request, CancellationToken cancellation);
}
