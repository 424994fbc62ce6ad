using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Discovery;
using Hexcast.Coordination.Tests.Servers;
using Hexcast.Harness;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Coordination.Tests.Nodes;

/// <summary>Nodes that find each other by a real etcd.</summary>
public sealed class DiscoveryTests(EtcdServer etcd) : IClassFixture<EtcdServer>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_is_known_to_the_others_while_it_runs_and_no_longer()
    {
        using var folders = new TemporaryFolder();
        await using var first = await StartAsync(folders.Path, "first");
        var directory = first.Services.GetRequiredService<RoleDirectory>();
        await SeesAsync(directory, "first");

        await using (await StartAsync(folders.Path, "second"))
        {
            await SeesAsync(directory, "first", "second");
        }

        await SeesAsync(directory, "first");
    }

    [Fact]
    public async Task Of_two_nodes_of_one_name_the_second_is_refused()
    {
        using var folders = new TemporaryFolder();
        await using var first = await StartAsync(folders.Path, "twin");
        var refused = await Should.ThrowAsync<NodeTakenException>(async () =>
        {
            await using var second = await StartAsync(Path.Combine(folders.Path, "elsewhere"), "twin");
        });
        refused.Message.ShouldContain("another node is called twin");
        await SeesAsync(first.Services.GetRequiredService<RoleDirectory>(), "twin");
    }

    [Fact]
    public async Task A_node_that_was_killed_takes_over_from_its_last_life_at_once()
    {
        using var folders = new TemporaryFolder();
        await using (await StartAsync(folders.Path, "phoenix"))
        {
        }

        var (lease, _) = await etcd.Client.GrantLeaseIdAsync(TimeSpan.FromMinutes(10), Cancellation);
        var id = await File.ReadAllTextAsync(Path.Combine(folders.Path, "phoenix", "node.id"), Cancellation);
        await etcd.Client.PutAsync(
            "/hexcast/claims/node/phoenix", ByteString.CopyFromUtf8($"{id} phoenix"), Cancellation, lease);

        await using var again = await StartAsync(folders.Path, "phoenix");
        await SeesAsync(again.Services.GetRequiredService<RoleDirectory>(), "phoenix");
    }

    [Fact]
    public async Task What_etcd_remembers_is_cut_to_what_a_watch_may_go_back()
    {
        using var folders = new TemporaryFolder();
        await using var node = await StartAsync(folders.Path, "compacting");
        var first = await etcd.Client.PutAsync("/old", ByteString.Empty, Cancellation);
        for (var i = 0; i < 1_010; i++)
        {
            await etcd.Client.PutAsync("/old", ByteString.Empty, Cancellation);
        }

        var compaction = ActivatorUtilities.CreateInstance<HistoryCompaction>(
            node.Services, new CoordinationOptions { HistoryRevisions = 1_000 });
        await compaction.CompactAsync(Cancellation);
        await compaction.CompactAsync(Cancellation);

        var asked = new RangeRequest { Key = ByteString.CopyFromUtf8("/old"), Revision = first };
        var gone = Should.Throw<RpcException>(() => etcd.Kv.Range(asked, cancellationToken: Cancellation));
        gone.StatusCode.ShouldBe(StatusCode.OutOfRange);
    }

    [Fact]
    public async Task A_registration_whose_lease_has_ended_is_made_again()
    {
        using var folders = new TemporaryFolder();
        await using var node = await StartAsync(folders.Path, "alone");
        var directory = node.Services.GetRequiredService<RoleDirectory>();
        await SeesAsync(directory, "alone");
        var key = ServiceAddress.KeyOf("coordination", "alone");
        var before = await etcd.Client.GetAsync(key, Cancellation);

        await etcd.Client.RevokeLeaseAsync(before!.LeaseId, Cancellation);

        await Wait.ForAsync(
            async () => await etcd.Client.GetAsync(key, Cancellation) is { } again && again.LeaseId != before.LeaseId,
            Limit, () => "it is not registered again");
    }

    [Fact]
    public async Task What_no_node_has_written_is_nobodys_offer()
    {
        using var folders = new TemporaryFolder();
        await etcd.Client.PutAsync("/hexcast/services/odd", ByteString.CopyFromUtf8("{}"), Cancellation);
        await etcd.Client.PutAsync(
            ServiceAddress.KeyOf("coordination", "odd"), ByteString.CopyFromUtf8("no JSON"), Cancellation);
        await using var node = await StartAsync(folders.Path, "even");
        await SeesAsync(node.Services.GetRequiredService<RoleDirectory>(), "even");
    }

    [Fact]
    public async Task A_role_is_called_where_it_runs_and_named_when_it_runs_nowhere()
    {
        using var folders = new TemporaryFolder();
        await using var caller = await StartAsync(folders.Path, "caller");
        var routes = caller.Services.GetRequiredService<IRoleRoutes>();
        var callee = new Maintenance.MaintenanceClient(routes.To("catalog"));
        var nowhere = Should.Throw<RpcException>(() => callee.Status(new StatusRequest()));
        nowhere.StatusCode.ShouldBe(StatusCode.Unavailable);
        nowhere.Status.Detail.ShouldContain("no node runs catalog");

        // etcd itself stands in for a node: it speaks gRPC, and nobody else here answers this service.
        var offer = new ServiceAddress("catalog", "other", new Uri(etcd.Address).Authority);
        await etcd.Client.PutAsync(offer.Key, offer.Value, Cancellation);
        await Wait.ForAsync(
            () => Task.FromResult(caller.Services.GetRequiredService<RoleDirectory>().Of("catalog").Count > 0),
            Limit, () => "the offer is not seen");
        (await callee.StatusAsync(new StatusRequest(), cancellationToken: Cancellation)).Leader.ShouldNotBe(0ul);
        await etcd.Client.DeleteAsync(offer.Key, Cancellation);
    }

    [Fact]
    public async Task Calls_of_the_master_go_to_the_node_that_is_elected()
    {
        using var folders = new TemporaryFolder();
        await etcd.Client.DeleteAsync(CoordinatorClient.ElectionKey, Cancellation);
        await using var caller = await StartAsync(folders.Path, "asking");
        var master = new Maintenance.MaintenanceClient(caller.Services.GetRequiredService<IRoleRoutes>().To("master"));
        Should.Throw<RpcException>(() => master.Status(new StatusRequest()))
            .Status.Detail.ShouldContain("no master is elected");

        var offer = new ServiceAddress("master", "elected", new Uri(etcd.Address).Authority);
        await etcd.Client.PutAsync(
            CoordinatorClient.ElectionKey, ByteString.CopyFromUtf8("elected"), Cancellation);
        await etcd.Client.PutAsync(offer.Key, offer.Value, Cancellation);

        await Wait.ForAsync(
            async () =>
            {
                try
                {
                    return (await master.StatusAsync(new StatusRequest(), cancellationToken: Cancellation)).Leader != 0;
                }
                catch (RpcException early) when (early.StatusCode == StatusCode.Unavailable)
                {
                    return false;
                }
            },
            Limit, () => "the master is not reached");
    }

    [Fact]
    public async Task A_channel_to_a_node_that_has_gone_is_closed_after_a_while()
    {
        using var folders = new TemporaryFolder();
        await using var caller = await StartAsync(folders.Path, "closing");
        var clock = new StepClock();
        using var routes = ActivatorUtilities.CreateInstance<ClusterRoutes>(caller.Services, clock);
        var catalog = new Maintenance.MaintenanceClient(routes.To("catalog"));

        await CallAsync("gone-1");
        await CallAsync("gone-2");
        routes.Count.ShouldBe(2, "it may come back");
        clock.Step(TimeSpan.FromMinutes(1));
        await CallAsync("gone-3");
        routes.Count.ShouldBe(2, "one is seen to be gone since now");
        clock.Step(TimeSpan.FromMinutes(1));
        await CallAsync("gone-4");
        routes.Count.ShouldBe(2);

        async Task CallAsync(string node)
        {
            var offer = new ServiceAddress("catalog", node, new Uri(etcd.Address).Authority);
            var directory = caller.Services.GetRequiredService<RoleDirectory>();
            await etcd.Client.PutAsync(offer.Key, offer.Value, Cancellation);
            await Wait.ForAsync(
                () => Task.FromResult(directory.Of("catalog").Contains(offer)), Limit, () => "the offer is not seen");
            (await catalog.StatusAsync(new StatusRequest(), cancellationToken: Cancellation)).Leader.ShouldNotBe(0ul);
            await etcd.Client.DeleteAsync(offer.Key, Cancellation);
            await Wait.ForAsync(
                () => Task.FromResult(directory.Of("catalog").Count == 0), Limit, () => "the offer is still seen");
        }
    }

    /// <summary>Stands until it is moved.</summary>
    private sealed class StepClock : TimeProvider
    {
        private long ticks = TimeSpan.TicksPerDay;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref ticks);

        public void Step(TimeSpan time) => Interlocked.Add(ref ticks, time.Ticks);
    }

    private static Task SeesAsync(RoleDirectory directory, params string[] nodes) => Wait.ForAsync(
        () => Task.FromResult(directory.Of("coordination").Select(offer => offer.Node).SequenceEqual(nodes)),
        Limit,
        () => $"seen are {string.Join(", ", directory.Of("coordination"))}");

    private async Task<HexcastNode> StartAsync(string folders, string name)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Coordination:Mode"] = "Etcd",
            ["Coordination:Endpoints:0"] = etcd.Address,
        }).Build();
        var folder = Path.Combine(folders, name);
        Directory.CreateDirectory(folder);
        var node = HexcastHost.Build(
            new NodeSettings
            {
                DataFolder = folder,
                NodeId = name,
                Http = new IPEndPoint(IPAddress.Loopback, 0),
                Grpc = new IPEndPoint(IPAddress.Loopback, EtcdMember.FreePort()),
                LogFile = Path.Combine(folder, "log"),
            },
            configuration, [new CoordinationModule()]);
        await node.StartAsync(Cancellation);
        return node;
    }
}
