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
    /// <summary>Callers of whom the group has not told, as one that leads a term that this member knows nothing of, who
    /// get lines; the one that was met first loses its own to the next.</summary>
    public const int MaximumStrangers = 8;

    /// <summary>Members whose lines are being closed; while there are as many, nobody who calls is met. It calls
    /// again.</summary>
    private const int MaximumClosing = 64;

    /// <summary>A member that was asked and is gone is noticed by its silence, not by this.</summary>
    private static readonly TimeSpan AskLimit = TimeSpan.FromSeconds(5);

    /// <summary>Changed under the lock only.</summary>
    private readonly ConcurrentDictionary<ulong, Peer> _peers = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Of all that follows.</summary>
    private readonly Lock _changing = new();

    /// <summary>What the group has said of each.</summary>
    private readonly Dictionary<ulong, string> _told = [];

    /// <summary>In the order in which they were met.</summary>
    private readonly List<ulong> _strangers = [];

    /// <summary>An id is never given again: one that was removed and still calls gets no line any more.</summary>
    private readonly HashSet<ulong> _removed = [];
    private readonly List<Task> _closing = [];

    private sealed record Peer(string Address, GrpcChannel Channel, PeerLine Urgent, PeerLine Bulk)
    {
        /// <summary>Also what they are saying ends, with the channel.</summary>
        public Task CloseAsync()
        {
            Urgent.Close();
            Bulk.Close();
            Channel.Dispose();
            return Task.WhenAll(Urgent.Ended, Bulk.Ended);
        }
    }

    public void Send(ulong to, Hexcast.Raft.RaftMessage message)
    {
        if (_peers.TryGetValue(to, out var peer))
        {
            (WireMessages.IsBulk(message) ? peer.Bulk : peer.Urgent).Post(WireMessages.ToWire(message));
        }
    }

    public void Follow(IReadOnlyList<SavedMember> known, Members group)
    {
        lock (_changing)
        {
            foreach (var member in known.Where(member => member.Id != self.Id))
            {
                // One that has called from elsewhere since is reached there, until the group says something new.
                if (_told.GetValueOrDefault(member.Id) != member.Address)
                {
                    _told[member.Id] = member.Address;
                    _strangers.Remove(member.Id);
                    _removed.Remove(member.Id);
                    Reach(member.Id, member.Address);
                }
            }
            foreach (var gone in _told.Keys
                .Where(id => !group.Contains(id) && known.All(member => member.Id != id)).ToList())
            {
                _told.Remove(gone);
                _removed.Add(gone);
                Close(gone);
            }
        }
    }

    /// <summary>A member has called from there: it may have moved, or be new.</summary>
    public void Meet(ulong id, string address)
    {
        lock (_changing)
        {
            _closing.RemoveAll(line => line.IsCompleted);
            if (id == self.Id || _removed.Contains(id) || _closing.Count >= MaximumClosing)
            {
                return;
            }
            if (!_told.ContainsKey(id) && !_strangers.Contains(id))
            {
                if (_strangers.Count == MaximumStrangers)
                {
                    Close(_strangers[0]);
                    _strangers.RemoveAt(0);
                }
                _strangers.Add(id);
            }
            Reach(id, address);
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
        AsyncUnaryCall<AskLeaderResponse> call;
        try
        {
            call = new RaftClient(peer.Channel.CreateCallInvoker())
                .AskLeaderAsync(request, self.Headers(), deadline, cancellation);
        }
        catch (ObjectDisposedException)
        {
            // Another line has replaced it just now.
            return null;
        }
        return await call;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task ended;
        lock (_changing)
        {
            _peers.Keys.ToList().ForEach(Close);
            ended = Task.WhenAll(_closing);
        }
        await ended;
        _stop.Dispose();
    }

    private void Reach(ulong id, string address)
    {
        if (_stop.IsCancellationRequested || _peers.GetValueOrDefault(id)?.Address == address)
        {
            return;
        }
        var channel = open(address);
        Close(id);
        var client = new RaftClient(channel.CreateCallInvoker());
        _peers[id] = new Peer(
            address, channel,
            new PeerLine(client, self, () => isGone(id), clock, logger, _stop.Token),
            new PeerLine(client, self, () => { }, clock, logger, _stop.Token));
    }

    private void Close(ulong id)
    {
        if (_peers.TryRemove(id, out var peer))
        {
            _closing.Add(peer.CloseAsync());
        }
    }
}

/// <summary>What a member says of itself on each of its calls.</summary>
/// <param name="Group">0: one that an early version began.</param>
internal sealed record PeerSelf(string Cluster, ulong Id, string Address, ulong Group = 0)
{
    public const string ClusterHeader = "hexcast-cluster";
    public const string MemberHeader = "hexcast-member";
    public const string AddressHeader = "hexcast-address";
    public const string GroupHeader = "hexcast-group";

    /// <summary>Whether a line can be opened to it at all: what cannot is not let into the log either.</summary>
    public static bool IsAddress(string said) =>
        said.Length is > 0 and <= 255 && Uri.TryCreate($"http://{said}", UriKind.Absolute, out _);

    public Metadata Headers() => new()
    {
        { ClusterHeader, Cluster },
        { MemberHeader, Id.ToString("x16", System.Globalization.CultureInfo.InvariantCulture) },
        { AddressHeader, Address },
        { GroupHeader, Group.ToString("x16", System.Globalization.CultureInfo.InvariantCulture) },
    };
}
