using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;
using Microsoft.Extensions.Logging;
using RaftClient = Hexcast.Contracts.V1.Raft.RaftClient;

namespace Hexcast.Coordination.Embedded.Peers;

/// <summary>The lines to the other members of the group, by gRPC.</summary>
/// <param name="isGone">Told of a member whose process has ended.</param>
internal sealed class PeerLinks(
    PeerSelf self, Func<string, GrpcChannel> open, Action<ulong> isGone, TimeProvider clock, ILogger logger)
    : IPeers, IAsyncDisposable
{
    /// <summary>A member that was asked and is gone is noticed by its silence, not by this.</summary>
    private static readonly TimeSpan AskLimit = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<ulong, Peer> _peers = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>What the group has said of each, by its core's thread only.</summary>
    private readonly Dictionary<ulong, string> _told = [];

    /// <summary>An id is never given again: one that was removed and still calls gets no line any more.</summary>
    private readonly ConcurrentDictionary<ulong, bool> _removed = [];

    private sealed record Peer(string Address, GrpcChannel Channel, PeerLine Urgent, PeerLine Bulk);

    public void Send(ulong to, Hexcast.Raft.RaftMessage message)
    {
        if (_peers.TryGetValue(to, out var peer))
        {
            (WireMessages.IsBulk(message) ? peer.Bulk : peer.Urgent).Post(WireMessages.ToWire(message));
        }
    }

    public void Follow(IReadOnlyList<SavedMember> known, Members group)
    {
        foreach (var member in known.Where(member => member.Id != self.Id))
        {
            // One that has called from elsewhere since is reached there, until the group says something new.
            if (_told.GetValueOrDefault(member.Id) != member.Address)
            {
                _told[member.Id] = member.Address;
                _removed.TryRemove(member.Id, out _);
                Meet(member.Id, member.Address);
            }
        }
        foreach (var gone in _told.Keys.Concat(_peers.Keys).Distinct()
            .Where(id => !group.Contains(id) && known.All(member => member.Id != id)).ToList())
        {
            if (_told.Remove(gone))
            {
                _removed.TryAdd(gone, true);
            }
            if (_peers.TryRemove(gone, out var peer))
            {
                Close(peer);
            }
        }
    }

    /// <summary>A member has called from there: it may have moved, or be new.</summary>
    public void Meet(ulong id, string address)
    {
        if (_stop.IsCancellationRequested || _removed.ContainsKey(id)
            || (_peers.TryGetValue(id, out var known) && known.Address == address))
        {
            return;
        }
        var channel = open(address);
        var client = new RaftClient(channel.CreateCallInvoker());
        var peer = new Peer(
            address, channel,
            new PeerLine(client, self, () => isGone(id), clock, logger, _stop.Token),
            new PeerLine(client, self, () => { }, clock, logger, _stop.Token));
        if (known is null ? !_peers.TryAdd(id, peer) : !_peers.TryUpdate(id, peer, known))
        {
            known = peer;
        }
        if (known is not null)
        {
            Close(known);
        }
    }

    public async Task<AskLeaderResponse?> AskLeaderAsync(
        ulong leader, AskLeaderRequest request, CancellationToken cancellation)
    {
        if (!_peers.TryGetValue(leader, out var peer))
        {
            return null;
        }
        var deadline = clock.GetUtcNow().UtcDateTime + AskLimit;
        return await new RaftClient(peer.Channel.CreateCallInvoker())
            .AskLeaderAsync(request, self.Headers(), deadline, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var peer in _peers.Values)
        {
            Close(peer);
            await peer.Urgent.Ended;
            await peer.Bulk.Ended;
        }
        _stop.Dispose();
    }

    private static void Close(Peer peer)
    {
        peer.Urgent.Close();
        peer.Bulk.Close();
        peer.Channel.Dispose();
    }
}

/// <summary>What a member says of itself on each of its calls.</summary>
internal sealed record PeerSelf(string Cluster, ulong Id, string Address)
{
    public const string ClusterHeader = "hexcast-cluster";
    public const string MemberHeader = "hexcast-member";
    public const string AddressHeader = "hexcast-address";

    public Metadata Headers() => new()
    {
        { ClusterHeader, Cluster },
        { MemberHeader, Id.ToString("x16", System.Globalization.CultureInfo.InvariantCulture) },
        { AddressHeader, Address },
    };
}
