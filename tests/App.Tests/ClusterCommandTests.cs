using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;
using Grpc.Health.V1;
using Hexcast.App.Cli;
using Hexcast.Contracts.V1;
using Hexcast.Harness;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Configuration;

namespace Hexcast.App.Tests;

/// <summary>A cluster as a person makes it, its first node running with what nodes serve each other.</summary>
public sealed class ClusterCommandTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly string root = Directory.CreateTempSubdirectory("hexcast-cluster-").FullName;
    private readonly IPEndPoint grpc = FreePort();
    private HexcastNode node = null!;
    private string First => Path.Combine(root, "first");

    private string Second => Path.Combine(root, "second");

    public async ValueTask InitializeAsync()
    {
        var made = await RunAsync(
            "cluster", "init", "--data", First, "--node", "first", "--grpc", grpc.ToString(), "--json");
        made.ExitCode.ShouldBe(ExitCode.Success, made.Errors);
        var identity = ClusterIdentity.Find(First)!;
        ((string)JsonNode.Parse(made.Output)!["cluster_id"]!).ShouldBe(identity.ClusterId);
        node = HexcastHost.Build(
            new NodeSettings
            {
                DataFolder = First,
                Http = new IPEndPoint(IPAddress.Loopback, 0),
                Grpc = grpc,
                NodeId = identity.Node,
                LogFile = Path.Combine(First, "log"),
                Cluster = identity,
            },
            new ConfigurationBuilder().Build(),
            // All that have something to say to each other.
            [.. Targets.Table.Where(t => t.Name is not ("worker" or "dashboard")).Select(t => t.Module())]);
        await node.StartAsync(CancellationToken.None);
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
