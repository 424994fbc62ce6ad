using System.Net;
using Google.Protobuf;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Discovery;
using Hexcast.Coordination.Tests.Servers;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Coordination.Tests;

public sealed class ModuleTests(EtcdServer etcd) : IClassFixture<EtcdServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static HexcastNode Build(string folder, params (string Key, string Value)[] settings) =>
        Build(folder, IPAddress.Loopback, settings);

    private static HexcastNode Build(string folder, IPAddress grpc, params (string Key, string Value)[] settings) =>
        Build(folder, grpc, advertise: null, settings);

    private static HexcastNode Build(
        string folder, IPAddress grpc, string? advertise, params (string Key, string Value)[] settings)
    {
        var node = new NodeSettings
        {
            DataFolder = folder,
            NodeId = "alone",
            Http = new IPEndPoint(IPAddress.Loopback, 0),
            Grpc = new IPEndPoint(grpc, 0),
            Advertise = advertise,
            LogFile = Path.Combine(folder, "log"),
        };
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build();
        return HexcastHost.Build(node, configuration, [new CoordinationModule()]);
    }

    [Fact]
    public async Task A_node_has_its_own_coordinator_without_any_configuration()
    {
        using var folder = new TemporaryFolder();
        var fences = new List<long>();
        for (var start = 1; start <= 2; start++)
        {
            await using var node = Build(folder.Path);
            await node.StartAsync(Cancellation);
            var client = node.Services.GetRequiredService<CoordinatorClient>();
            var master = (await client.GetAsync(CoordinatorClient.ElectionKey, Cancellation)).ShouldNotBeNull();
            master.Value.ToStringUtf8().ShouldBe("alone");
            fences.Add(master.CreateRevision);
            (await client.RangeAsync("/starts/", Cancellation)).KeyValues.Count.ShouldBe(start - 1);
            await client.PutAsync($"/starts/{start}", ByteString.Empty, Cancellation);
        }
        fences.ShouldBeInOrder();
        fences[1].ShouldBeGreaterThan(fences[0]);
    }

    [Fact]
    public async Task A_node_of_a_cluster_without_certificates_that_lost_its_coordinator_begins_no_second_one()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "node.id"), "0123456789abcdef", Cancellation);
        await using var node = Build(folder.Path, ("Coordination:Cluster", "true"));
        (await Should.ThrowAsync<NodeFailureException>(() => node.StartAsync(Cancellation)))
            .Message.ShouldContain("node.id says that this node was one of a cluster");
    }

    [Fact]
    public async Task A_node_stops_at_once_though_a_watch_and_a_lease_are_open()
    {
        using var folder = new TemporaryFolder();
        await using var node = Build(folder.Path);
        await node.StartAsync(Cancellation);
        var client = node.Services.GetRequiredService<CoordinatorClient>();
        await using var lease = await client.GrantLeaseAsync(TimeSpan.FromSeconds(10), Cancellation);
        using var stop = new CancellationTokenSource();
        await using var watch = client.WatchAsync("/", fromRevision: 0, stop.Token).GetAsyncEnumerator(stop.Token);
        (await watch.MoveNextAsync()).ShouldBeTrue();
        var next = watch.MoveNextAsync();

        var started = TimeProvider.System.GetTimestamp();
        await node.StopAsync();
        TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(8));
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(async () => await next);
    }

    [Fact]
    public async Task A_node_can_use_a_real_etcd()
    {
        using var folder = new TemporaryFolder();
        await using var node = Build(
            folder.Path,
            ("Coordination:Mode", "Etcd"),
            // Nobody listens at the first one.
            ("Coordination:Endpoints:0", "http://127.0.0.1:1"),
            ("Coordination:Endpoints:1", etcd.Address));
        await node.StartAsync(Cancellation);
        var client = node.Services.GetRequiredService<CoordinatorClient>();
        await client.PutAsync("/from-a-node", ByteString.CopyFromUtf8("x"), Cancellation);
        (await etcd.Client.GetAsync("/from-a-node", Cancellation)).ShouldNotBeNull();
        Directory.Exists(Path.Combine(folder.Path, "coordinator")).ShouldBeFalse();
    }

    [Fact]
    public void Wrong_options_are_named()
    {
        using var folder = new TemporaryFolder();
        Should.Throw<ConfigurationException>(() => Build(folder.Path, ("Coordination:Mode", "Etcd")))
            .Message.ShouldContain("Endpoints");
        Should.Throw<ConfigurationException>(() => Build(folder.Path, ("Coordination:SnapshotEntries", "1")))
            .Message.ShouldContain("100 to 1000000");
        Should.Throw<ConfigurationException>(() => Build(
                folder.Path, ("Coordination:Mode", "Etcd"), ("Coordination:Endpoints:0", "http://10.0.0.2:2379"),
                ("Coordination:User", "hexcast"), ("Coordination:Password", "never told")))
            .Message.ShouldSatisfyAllConditions(
                message => message.ShouldContain("where a password goes to another machine"),
                message => message.ShouldNotContain("never told"));
    }

    [Fact]
    public void A_node_that_the_others_could_not_reach_is_refused()
    {
        using var folder = new TemporaryFolder();
        Should.Throw<ConfigurationException>(() => Build(
                folder.Path, IPAddress.Any, ("Coordination:Mode", "Etcd"), ("Coordination:Endpoints:0", etcd.Address)))
            .Message.ShouldContain("--grpc 0.0.0.0:0");
    }

    [Fact]
    public async Task Others_are_told_the_address_that_is_advertised()
    {
        using var folder = new TemporaryFolder();
        await using var node = Build(
            folder.Path, IPAddress.Any, "gate.example:8081", ("Access:AllowOpenGrpc", "true"),
            ("Coordination:Mode", "Etcd"), ("Coordination:Endpoints:0", etcd.Address));
        await node.StartAsync(Cancellation);
        var offer = await etcd.Client.GetAsync(ServiceAddress.KeyOf("coordination", "alone"), Cancellation);
        ServiceAddress.From(offer!.Key, offer.Value)!.Grpc.ShouldBe("gate.example:8081");
    }
}
