using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Health.V1;
using Hexcast.App.Cli;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Harness;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Hexcast.App.Tests;

/// <summary>A cluster as a person makes it, its first node running with what nodes serve each other.</summary>
public sealed class ClusterCommandTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly string root = Directory.CreateTempSubdirectory("hexcast-cluster-").FullName;
    private readonly IPEndPoint grpc = FreePort(), secondGrpc = FreePort();
    private HexcastNode node = null!;
    private string First => Path.Combine(root, "first");

    private string Second => Path.Combine(root, "second");

    public async ValueTask InitializeAsync()
    {
        var made = await RunAsync(
            "cluster", "init", "--data", First, "--node", "first", "--grpc", grpc.ToString(), "--json");
        made.ExitCode.ShouldBe(ExitCode.Success, made.Errors);
        ((string)JsonNode.Parse(made.Output)!["cluster_id"]!).ShouldBe(ClusterIdentity.Find(First)!.ClusterId);
        // All that have something to say to each other.
        node = Node(First, [.. Targets.Table.Select(t => t.Name).Except(["worker", "dashboard"])]);
        await node.StartAsync(CancellationToken.None);
    }

    private static HexcastNode Node(string data, params string[] roles)
    {
        var identity = ClusterIdentity.Find(data)!;
        return HexcastHost.Build(
            new NodeSettings
            {
                DataFolder = data,
                Http = new IPEndPoint(IPAddress.Loopback, 0),
                Grpc = IPEndPoint.Parse(identity.Address),
                NodeId = identity.Node,
                LogFile = Path.Combine(data, "log"),
                Cluster = identity,
            },
            new ConfigurationBuilder().Build(),
            [.. Targets.Table.Where(t => roles.Contains(t.Name)).Select(t => t.Module())]);
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        NodeEvidence.KeepLog(Path.Combine(First, "log"));
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task A_node_joins_by_a_token_and_is_believed_until_it_is_removed()
    {
        var token = await TokenAsync();
        var joined = await RunAsync(
            "cluster", "join", token, "--data", Second, "--node", "second", "--grpc", FreePort().ToString());
        joined.ExitCode.ShouldBe(ExitCode.Success, joined.Errors);
        joined.Output.ShouldContain("second is a node of the cluster");

        (await EtcdctlAsync("put", "here", "there")).ShouldBe((0, "OK"));
        (await EtcdctlAsync("get", "--print-value-only", "here")).ShouldBe((0, "there"));
        (await EtcdctlAsync("member", "list")).Output.ShouldContain($"https://{grpc}");

        await EtcdctlAsync("put", $"{RemovedNodes.KeyPrefix}second", "");
        await Wait.ForAsync(
            async () => (await EtcdctlAsync("get", "here")).ExitCode != 0, Limit, () => "it is still believed");
    }

    [Fact]
    public async Task A_node_that_has_left_comes_back_by_a_new_name_and_by_no_less()
    {
        await JoinSecondAsync("second");
        await LiveSecondAsync();
        Directory.Delete(Path.Combine(Second, "cluster"), recursive: true);
        (await Should.ThrowAsync<HexcastException>(JoinSecondAsync("second"))).Code
            .ShouldBe(ErrorCodes.NodeNameTaken);

        var removed = await RunAsync("cluster", "remove", "second", "--data", First, "--yes");
        removed.ExitCode.ShouldBe(ExitCode.Success, removed.Errors);
        Directory.Delete(Path.Combine(Second, "coordinator"), recursive: true);
        File.Delete(Path.Combine(Second, "node.id"));
        await JoinSecondAsync("third");
        await LiveSecondAsync();

        // Another CA, and the same names, jobs and tokens: what they have agreed on is none of the certificates'.
        await PutAsync("kept");
        await node.DisposeAsync();
        Directory.Delete(Path.Combine(First, "cluster"), recursive: true);
        Directory.Delete(Path.Combine(Second, "cluster"), recursive: true);
        Enrol.Found(First, "first", grpc, advertise: null, TimeProvider.System);
        node = Node(First, "coordinator", "access", "master");
        await node.StartAsync(CancellationToken.None);
        await JoinSecondAsync("third");
        await LiveSecondAsync();
        (await IsThereAsync("kept")).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_began_goes_on_alone_when_told_to_and_does_not_begin_again_by_itself()
    {
        await JoinSecondAsync("second");
        await LiveSecondAsync();
        await PutAsync("kept");
        var busy = await RunAsync("cluster", "recover", "--data", First, "--yes");
        (busy.ExitCode, busy.Errors.Contains("another Hexcast process uses it")).ShouldBe((ExitCode.Failed, true));
        await node.DisposeAsync();
        var unasked = await RunAsync("cluster", "recover", "--data", First);
        (unasked.ExitCode, unasked.Errors.Contains("nobody is there to ask")).ShouldBe((ExitCode.Usage, true));
        var alone = JsonNode.Parse((await RunAsync("cluster", "recover", "--data", First, "--yes", "--json")).Output)!;
        ((bool)alone["recovered"]!).ShouldBeTrue();
        ((long)alone["entry"]!).ShouldBeGreaterThan(5);
        alone["given_up"]!.AsArray().Select(name => (string)name!).ShouldBe(["second"]);
        await RestartAsync();
        (await IsThereAsync("kept")).ShouldBeTrue();
        // Who was given up is believed no more.
        var shutOut = node.Services.GetRequiredService<RemovedNodes>();
        await Wait.ForAsync(() => Task.FromResult(shutOut.Contains("second")), Limit, () => "second is still believed");

        await node.DisposeAsync();
        Directory.Delete(Path.Combine(First, "coordinator"), recursive: true);
        (await Should.ThrowAsync<NodeFailureException>(RestartAsync))
            .Message.ShouldContain("names nodes that this one has let in");
        await node.DisposeAsync();
        var empty = await RunAsync("cluster", "recover", "--data", First, "--yes");
        empty.Output.ShouldContain("it would begin an empty one");
        await RestartAsync();
        (await IsThereAsync("kept")).ShouldBeFalse();

        async Task RestartAsync()
        {
            node = Node(First, "coordinator", "access", "master");
            await node.StartAsync(CancellationToken.None).WaitAsync(Limit);
        }
    }

    private Task<ClusterIdentity> JoinSecondAsync(string name) => Enrol.JoinAsync(
        Second,
        Enrol.Token(First, TimeSpan.FromMinutes(10), uses: 1, [], TimeProvider.System).Text,
        name, secondGrpc, advertise: null, TimeProvider.System, CancellationToken.None);

    /// <summary>Its start ends when the cluster has taken it.</summary>
    private async Task LiveSecondAsync()
    {
        await using var live = Node(Second, "coordinator", "access", "master");
        await live.StartAsync(CancellationToken.None).WaitAsync(Limit);
    }

    private Task PutAsync(string key) => Keys.PutAsync(key, ByteString.Empty, CancellationToken.None);

    private async Task<bool> IsThereAsync(string key) => await Keys.GetAsync(key, CancellationToken.None) is not null;

    private CoordinatorClient Keys => node.Services.GetRequiredService<CoordinatorClient>();

    [Fact]
    public async Task Where_a_node_listens_and_where_it_is_reached_is_said_once_when_it_joins()
    {
        var (listen, reach) = ($"0.0.0.0:{FreePort().Port}", "encoder.example:8081");
        var joined = await RunAsync(
            "cluster", "join", await TokenAsync(), "--data", Second, "--node", "second", "--grpc", listen,
            "--advertise", reach, "--json");
        joined.ExitCode.ShouldBe(ExitCode.Success, joined.Errors);
        ((string)JsonNode.Parse(joined.Output)!["address"]!).ShouldBe(reach);

        Started().ShouldBe((listen, reach));
        Started("--advertise", "gate.example:8081").ShouldBe((listen, "gate.example:8081"));
        Started("--grpc", "10.0.0.12:8081").ShouldBe(("10.0.0.12:8081", "10.0.0.12:8081"));
        ClusterIdentity.Find(First)!.Listen.ShouldBeNull();

        (string, string) Started(params string[] more)
        {
            var (options, serve) = (new NodeOptions(), new Command("serve"));
            options.AddTo(serve);
            var settings = options.Settings(serve.Parse(["--data", Second, .. more]));
            return (settings.Grpc.ToString(), settings.Address);
        }
    }

    [Fact]
    public async Task Each_way_in_that_is_none_is_said_and_ends_with_its_code()
    {
        var token = await TokenAsync();
        (await JoinAsync("second", "hxj_nonsense")).ShouldBe((ExitCode.Refused, "no join token"));
        (await JoinAsync("first", token)).ShouldBe((ExitCode.Failed, "Another node is called first"));
        (await JoinAsync("second", token, "0.0.0.0:8081")).ShouldBe((ExitCode.Usage, "--grpc 0.0.0.0:8081"));
        (await JoinAsync("second", token)).ShouldBe((ExitCode.Success, ""));
        (await JoinAsync("second", token)).ShouldBe((ExitCode.Failed, "is there already"));
        Directory.Delete(Path.Combine(Second, "cluster"), recursive: true);
        (await JoinAsync("third", token)).ShouldBe((ExitCode.Refused, "was used already"));
        await node.StopAsync();
        (await JoinAsync("third", token)).ShouldBe((ExitCode.NoServer, "Connection refused"));

        var again = await RunAsync("cluster", "init", "--data", First);
        (again.ExitCode, again.Errors.Contains("is there already")).ShouldBe((ExitCode.Failed, true));
        var nobody = await RunAsync("cluster", "token", "--data", Second);
        (nobody.ExitCode, nobody.Errors.Contains("is of no cluster")).ShouldBe((ExitCode.Failed, true));

        async Task<(int, string)> JoinAsync(string name, string with, string? at = null)
        {
            var ended = await RunAsync(
                "cluster", "join", with, "--data", Second, "--node", name, "--grpc", at ?? FreePort().ToString());
            string[] known =
            [
                "no join token", "Another node is called first", "--grpc 0.0.0.0:8081", "is there already",
                "was used already", "Connection refused",
            ];
            return (ended.ExitCode, known.FirstOrDefault(ended.Errors.Contains) ?? ended.Errors);
        }
    }

    [Fact]
    public async Task What_is_removed_is_known_by_its_name_and_somebody_has_said_yes()
    {
        (await RemoveAsync("encodr-3")).ShouldBe((ExitCode.Usage, "nobody is there to ask"));
        (await RemoveAsync("encodr-3", "--yes")).ShouldBe((ExitCode.NotFound, "No node is called encodr-3"));
        (await RemoveAsync("Encoder", "--yes", "--force")).ShouldBe((ExitCode.Failed, "No node can be called"));
        var only = await RunAsync("cluster", "remove", "first", "--data", First, "--yes");
        only.ExitCode.ShouldBe(ExitCode.Failed);
        only.Errors.ShouldSatisfyAllConditions(
            errors => errors.ShouldContain("first runs catalog, playback, upload"),
            errors => errors.ShouldContain("first holds ca.key"),
            errors => errors.ShouldContain("there is no other voter"));

        // It has joined, and was never started: nobody but its certificate knows of it.
        var token = await TokenAsync();
        (await RunAsync("cluster", "join", token, "--data", Second, "--node", "second", "--grpc", "127.0.0.1:8081"))
            .Output.ShouldContain($"./hexcast serve --target worker,master --data {Second}");
        (await RemoveAsync("second", "--yes")).ShouldBe((ExitCode.NotFound, "No node is called second"));
        (await RemoveAsync("second", "--yes", "--force")).ShouldBe((ExitCode.Success, ""));
        (await RemoveAsync("second", "--yes")).ShouldBe((ExitCode.Success, ""), "to finish what was begun");

        async Task<(int, string)> RemoveAsync(string name, params string[] more)
        {
            var ended = await RunAsync(["cluster", "remove", name, "--data", First, .. more]);
            string[] known = ["nobody is there to ask", $"No node is called {name}", "No node can be called"];
            return (ended.ExitCode, known.FirstOrDefault(ended.Errors.Contains) ?? ended.Errors);
        }
    }

    [Fact]
    public async Task A_mastership_is_handed_over_by_who_has_it_only()
    {
        (await TransferAsync()).ShouldContain("there is no other voter");
        (await TransferAsync("--from", "second")).ShouldContain("second does not lead, first does");
        (await TransferAsync("first", "--from", "second")).ShouldContain("second does not lead, first does");

        async Task<string> TransferAsync(params string[] more)
        {
            var ended = await RunAsync(["cluster", "transfer", "--data", First, .. more]);
            ended.ExitCode.ShouldBe(ExitCode.Failed);
            return ended.Errors;
        }
    }

    [Fact]
    public async Task A_node_that_is_not_there_is_listed_until_it_is_removed()
    {
        var status = await RunAsync("cluster", "status", "--data", First);
        status.Output.ShouldContain("first is the master.");
        var coordinator = node.Services.GetRequiredService<CoordinatorClient>();
        await coordinator.PutAsync(
            "/hexcast/cluster/nodes/away", ByteString.CopyFromUtf8("10.0.0.12:8081"), CancellationToken.None);
        (await RunAsync("cluster", "status", "--data", First)).Output
            .ShouldMatch("away +10.0.0.12:8081 +- +not there");
        (await RunAsync("cluster", "remove", "away", "--data", First, "--yes", "--json")).ExitCode
            .ShouldBe(ExitCode.Success);
        (await RunAsync("cluster", "status", "--data", First)).Output.ShouldNotContain("away");
    }

    [Fact]
    public async Task A_cluster_that_only_this_machine_reaches_is_said_to_be_one()
    {
        var made = await RunAsync("cluster", "init", "--data", Second);
        made.ExitCode.ShouldBe(ExitCode.Success);
        made.Errors.ShouldContain("only this machine reaches 127.0.0.1:8081");
        var token = await RunAsync("cluster", "token", "--data", First, "--at", "10.0.0.10:8081");
        Evidence.Secret(token.Output.Trim());
        var lost = await RunAsync(
            "cluster", "join", token.Output.Trim(), "--data", Path.Combine(root, "third"), "--node", "third");
        lost.ExitCode.ShouldBe(ExitCode.Usage);
        lost.Errors.ShouldContain("cannot reach this one there");
    }

    [Fact]
    public async Task Without_a_certificate_every_method_of_every_service_is_closed()
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null },
        })
        { Timeout = Limit };
        var methods = new[] { typeof(Transcoder).Assembly, typeof(Health).Assembly }
            .SelectMany(assembly => assembly.GetExportedTypes())
            .Select(type => type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static))
            .Where(property => property?.PropertyType == typeof(ServiceDescriptor))
            .SelectMany(property => ((ServiceDescriptor)property!.GetValue(null)!).Methods)
            .Select(method => $"/{method.Service.FullName}/{method.Name}").ToList();
        methods.Count.ShouldBeGreaterThan(30);
        var open = new List<string>();
        foreach (var method in (string[])[.. methods, "/", "/hexcast.v1.Enrolment/Join/", "//etcdserverpb.KV/Range"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"https://{grpc}{method}")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent(new byte[5]) { Headers = { ContentType = new("application/grpc") } },
            };
            using var answer = await http.SendAsync(request);
            (await answer.Content.ReadAsByteArrayAsync()).Length.ShouldBeInRange(0, 5_000);
            if (!answer.Headers.TryGetValues("grpc-status", out var status) || status.Single() != "16")
            {
                open.Add(method);
            }
        }

        open.Order().ShouldBe(["/hexcast.v1.Enrolment/GetAuthority", "/hexcast.v1.Enrolment/Join"]);
    }

    private async Task<string> TokenAsync()
    {
        var made = await RunAsync("cluster", "token", "--data", First, "--ttl", "10m");
        made.ExitCode.ShouldBe(ExitCode.Success, made.Errors);
        made.Errors.ShouldContain("cluster join TOKEN");
        Evidence.Secret(made.Output.Trim());
        return made.Output.Trim();
    }

    private async Task<(int ExitCode, string Output)> EtcdctlAsync(params string[] arguments)
    {
        var second = ClusterIdentity.Find(Second)!.Folder;
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/etcdctl",
        [
            "--endpoints", $"https://{grpc}", "--command-timeout", "5s", "--dial-timeout", "2s",
            "--cacert", Path.Combine(second, "ca.pem"), "--cert", Path.Combine(second, "node.pem"),
            "--key", Path.Combine(second, "node.key"), .. arguments,
        ])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
            Environment = { ["ETCDCTL_API"] = "3" },
        })!;
        using var limit = new CancellationTokenSource(Limit);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        await errors;
        return (process.ExitCode, output.Trim());
    }

    private static Task<Ended> RunAsync(params string[] arguments) => HexcastProcess.RunAsync(null, arguments);

    private static IPEndPoint FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return (IPEndPoint)probe.LocalEndpoint;
    }
}
