using System.Net;
using System.Net.Sockets;
using Grpc.Net.Client;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Peers;
using Hexcast.Harness;
using Hexcast.Raft;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>One member of a group, in this process, on a folder that it keeps over its lives, and on a port that it
/// keeps unless it is moved.</summary>
internal sealed class GroupMemberServer(string folder, string node, int port, CoordinatorLimits limits, string[] join)
    : IAsyncDisposable
{
    private GrpcChannel _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
    private int _port = port;
    private string[] _join = join;
    private WebApplication? _app;

    public string Node { get; } = node;

    public string Folder { get; } = folder;

    public string Address => $"127.0.0.1:{_port}";

    public LogLines Log { get; } = new();

    public bool IsUp => _app is not null;

    public CoordinatorClient Client => new(_channel.CreateCallInvoker(), TimeProvider.System);

    public Membership.MembershipClient Membership => new(_channel.CreateCallInvoker());

    public Contracts.V1.Raft.RaftClient Raft => new(_channel.CreateCallInvoker());

    public EmbeddedCoordinator Coordinator => Holder.Coordinator;

    /// <summary>What it says of itself to the others.</summary>
    public PeerSelf Self => Holder.Self;

    /// <summary>What shows at its next start that it was one of a group.</summary>
    public string? Shared { get; set; }

    private EmbeddedCoordinatorHolder Holder => _app!.Services.GetRequiredService<EmbeddedCoordinatorHolder>();

    public async Task StartAsync()
    {
        _app = EmbeddedServer.Build(Folder, _port, limits, Log, Node, Shared, _join);
        await _app.StartAsync();
    }

    /// <summary>Its next life is at another address.</summary>
    /// <param name="join">Where it looks for the others; without it, where it did.</param>
    public void Move(params string[] join)
    {
        _channel.Dispose();
        _port = EmbeddedGroup.FreePort();
        _channel = GrpcChannel.ForAddress($"http://{Address}");
        _join = join.Length > 0 ? join : _join;
    }

    public async Task StopAsync()
    {
        if (_app is { } app)
        {
            _app = null;
            await app.StopAsync();
            await app.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _channel.Dispose();
    }
}

/// <summary>A group of embedded coordinators. The first one begins it, the others join.</summary>
internal sealed class EmbeddedGroup : IAsyncDisposable
{
    /// <summary>With more time than a platform takes, for a whole suite is at work beside: no leader is missed that is
    /// there.</summary>
    public static readonly RaftOptions Raft = RaftOptions.For(TimeSpan.FromMilliseconds(500));

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();
    private readonly CoordinatorLimits _limits;

    private EmbeddedGroup(CoordinatorLimits limits) => _limits = limits;

    public List<GroupMemberServer> Members { get; } = [];

    public GroupMemberServer this[int member] => Members[member];

    /// <summary>Started, all of them voters.</summary>
    public static async Task<EmbeddedGroup> StartAsync(int members = 3, CoordinatorLimits? limits = null)
    {
        var group = new EmbeddedGroup(limits ?? new CoordinatorLimits { Raft = Raft });
        for (var i = 0; i < members; i++)
        {
            await group.AddAsync();
        }
        await group.AreVotersAsync(members);
        return group;
    }

    /// <param name="at">Whom it asks to be let in; without it the first.</param>
    public async Task<GroupMemberServer> AddAsync(GroupMemberServer? at = null)
    {
        var number = Members.Count + 1;
        var join = Members.Count == 0 ? [] : new[] { (at ?? Members[0]).Address };
        var member = new GroupMemberServer(
            Path.Combine(_folder.Path, $"node-{number}"), $"node-{number}", FreePort(), _limits, join);
        Members.Add(member);
        await member.StartAsync();
        return member;
    }

    public Task AreVotersAsync(int voters) => ComesAsync(
        () => Members.All(member => !member.IsUp || member.Coordinator.Standing.Members.Voters.Count == voters),
        $"{voters} members vote");

    public async Task<GroupMemberServer> LeaderAsync()
    {
        GroupMemberServer? leader = null;
        await ComesAsync(
            () =>
            {
                leader = Members.Find(member => member.IsUp
                    && member.Coordinator.Standing.Leader == member.Coordinator.Identity.MemberId);
                return leader is not null;
            },
            "a member leads");
        return leader!;
    }

    public static Task ComesAsync(Func<bool> condition, string what) => Wait.ForAsync(
        () => Task.FromResult(condition()), Limit, () => $"not within {Limit}: {what}");

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Members.Select(member => member.DisposeAsync().AsTask()));
        _folder.Dispose();
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>A group of three, spoken to at a member that does not lead.</summary>
public sealed class GroupServer : CoordinatorServer
{
    private EmbeddedGroup? _group;

    public override int MemberCount => 3;

    protected override async Task StartAsync()
    {
        _group = await EmbeddedGroup.StartAsync();
        var leader = await _group.LeaderAsync();
        Address = $"http://{_group.Members.First(member => member != leader).Address}";
    }

    protected override async Task StopAsync()
    {
        if (_group is not null)
        {
            await _group.DisposeAsync();
        }
    }
}
