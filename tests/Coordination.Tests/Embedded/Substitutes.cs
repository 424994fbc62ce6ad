using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Peers;

namespace Hexcast.Coordination.Tests.Embedded;

internal static class Substitutes
{
    /// <summary>For a group of one.</summary>
    public static IPeers NoPeers { get; } = new Nobody();

    private sealed class Nobody : IPeers
    {
        public void Send(ulong to, Hexcast.Raft.RaftMessage message) =>
            throw new InvalidOperationException("There is nobody to send to.");

        public void Follow(IReadOnlyList<SavedMember> known, Hexcast.Raft.Members group) =>
            group.Count.ShouldBe(1);

        public Task<AskLeaderResponse?> AskLeaderAsync(
            ulong leader, AskLeaderRequest request, CancellationToken cancellation) =>
            Task.FromResult<AskLeaderResponse?>(null);
    }
}
