using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Tls;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.Tests.Cluster;

/// <summary>Who gets what at the port for nodes.</summary>
public sealed class NodeConnectionTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task Nodes_of_a_cluster_reach_each_other()
    {
        await using var cluster = await TestCluster.StartAsync();
        var second = await cluster.StartAsync(await cluster.JoinAsync("node-2"));
        using var there = cluster.ChannelOf(second, "node-1");
        (await CheckAsync(there)).ShouldBe(StatusCode.OK);

        using var back = cluster.FirstNode.Services.GetRequiredService<NodeChannels>()
            .Open(second.Services.GetRequiredService<NodeCertificate>().Identity.Address, "node-2");
        (await CheckAsync(back)).ShouldBe(StatusCode.OK);
    }

    [Fact]
    public async Task A_node_that_is_not_the_one_that_was_looked_for_is_not_spoken_to()
    {
        await using var cluster = await TestCluster.StartAsync();
        var second = await cluster.StartAsync(await cluster.JoinAsync("node-2"));
        using var channel = cluster.ChannelOf(second, "node-3");
        (await CheckAsync(channel)).ShouldBe(StatusCode.Unavailable);
        cluster.Log("node-2").ShouldContain("it is node-1, not node-3");
    }

    [Fact]
    public async Task A_node_of_another_cluster_is_not_spoken_to()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var other = await TestCluster.StartAsync();
        using var channel = other.FirstNode.Services.GetRequiredService<NodeChannels>().Open(cluster.First.Address);
        (await CheckAsync(channel)).ShouldBe(StatusCode.Unavailable);
    }

    [Fact]
    public async Task Without_a_certificate_there_is_nothing_but_the_way_in()
    {
        await using var cluster = await TestCluster.StartAsync();
        using var channel = cluster.ChannelWith(null);
        (await CheckAsync(channel)).ShouldBe(StatusCode.Unauthenticated);
        using (var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo())
        {
            (await Should.ThrowAsync<RpcException>(() => call.ResponseStream.MoveNext().WaitAsync(Limit))).StatusCode
                .ShouldBe(StatusCode.Unauthenticated);
        }

        var enrolment = new Enrolment.EnrolmentClient(channel);
        (await Should.ThrowAsync<RpcException>(() => enrolment.RenewAsync(new RenewRequest()).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.Unauthenticated);
        (await enrolment.GetAuthorityAsync(new GetAuthorityRequest())).Certificate.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_node_that_lets_nobody_in_shakes_no_strangers_hand()
    {
        await using var cluster = await TestCluster.StartAsync();
        var second = await cluster.JoinAsync("node-2");
        await cluster.StartAsync(second);
        using var channel = GrpcChannel.ForAddress($"https://{second.Address}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null },
            },
            DisposeHttpClient = true,
        });
        (await AuthorityAsync(channel)).ShouldBe(StatusCode.Unavailable);
    }

    [Theory]
    [InlineData("of another CA")]
    [InlineData("expired")]
    [InlineData("of no node")]
    [InlineData("of another cluster")]
    public async Task A_certificate_that_is_not_of_this_clusters_node_gets_nothing_at_all(string which)
    {
        await using var cluster = await TestCluster.StartAsync(new At(Now - TimeSpan.FromDays(120)));
        using var other = ClusterAuthority.Create(cluster.First.ClusterId, Now);
        using var shown = which switch
        {
            "of another CA" => TestCluster.Issue(other, cluster.First.ClusterId, "node-2", Now),
            "expired" => cluster.Issue(
                cluster.First.ClusterId, "node-2", Now - ClusterAuthority.NodeLifetime - TimeSpan.FromMinutes(1)),
            "of no node" => cluster.Issue(cluster.First.ClusterId, "node.2", Now),
            _ => cluster.Issue("0123456789abcdef", "node-2", Now),
        };
        using var channel = cluster.ChannelWith(shown);
        (await CheckAsync(channel)).ShouldBe(StatusCode.Unavailable);
        (await AuthorityAsync(channel)).ShouldBe(StatusCode.Unavailable);
        using var right = cluster.Issue(cluster.First.ClusterId, "node-2", Now);
        using var open = cluster.ChannelWith(right);
        (await CheckAsync(open)).ShouldBe(StatusCode.OK);
    }

    [Fact]
    public async Task A_certificate_of_a_node_whose_clock_is_an_hour_off_is_good()
    {
        await using var cluster = await TestCluster.StartAsync();
        foreach (var skew in (TimeSpan[])[TimeSpan.FromHours(1), TimeSpan.FromHours(-1)])
        {
            using var shown = cluster.Issue(cluster.First.ClusterId, "node-2", Now + skew);
            using var channel = cluster.ChannelWith(shown);
            (await CheckAsync(channel)).ShouldBe(StatusCode.OK);
        }
    }

    [Fact]
    public async Task A_node_that_is_removed_loses_its_connections_at_once_and_gets_none_again()
    {
        await using var cluster = await TestCluster.StartAsync();
        var second = await cluster.StartAsync(await cluster.JoinAsync("node-2"));
        using var channel = cluster.ChannelOf(second);
        using var watch = new Health.HealthClient(channel).Watch(new HealthCheckRequest());
        (await watch.ResponseStream.MoveNext().WaitAsync(Limit)).ShouldBeTrue();

        var removed = cluster.FirstNode.Services.GetRequiredService<RemovedNodes>();
        removed.Replace(["node-2", "node-9"]);
        await Should.ThrowAsync<RpcException>(() => watch.ResponseStream.MoveNext().WaitAsync(Limit));
        (await CheckAsync(channel)).ShouldBe(StatusCode.Unavailable);
        // As a node that starts before it has asked the coordinator.
        new RemovedNodes(cluster.First).Contains("node-2").ShouldBeTrue();

        removed.Replace(["node-9"]);
        (await CheckAsync(channel)).ShouldBe(StatusCode.OK);
        new RemovedNodes(cluster.First).Contains("node-2").ShouldBeFalse();
    }

    [Fact]
    public async Task What_is_no_TLS_is_not_answered()
    {
        await using var cluster = await TestCluster.StartAsync();
        using var clear = GrpcChannel.ForAddress($"http://{cluster.First.Address}");
        (await CheckAsync(clear)).ShouldNotBe(StatusCode.OK);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(cluster.FirstGrpc);
        await tcp.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        using var limit = new CancellationTokenSource(Limit);
        var answer = new byte[64];
        var read = await tcp.GetStream().ReadAsync(answer, limit.Token);
        Encoding.ASCII.GetString(answer, 0, read).ShouldNotContain("HTTP");
    }

    [Fact]
    public async Task Strangers_from_one_address_are_few_and_nodes_come_in_beside_them()
    {
        await using var cluster = await TestCluster.StartAsync();
        var strangers = new List<GrpcChannel>();
        try
        {
            var answers = new List<StatusCode>();
            for (var i = 0; i < 17; i++)
            {
                strangers.Add(cluster.ChannelWith(null));
                answers.Add(await AuthorityAsync(strangers[^1]));
            }

            answers.Count(answer => answer == StatusCode.OK).ShouldBe(16);
            answers[^1].ShouldBe(StatusCode.Unavailable);
            using var right = cluster.Issue(cluster.First.ClusterId, "node-2", Now);
            using var node = cluster.ChannelWith(right);
            (await CheckAsync(node)).ShouldBe(StatusCode.OK);
        }
        finally
        {
            strangers.ForEach(channel => channel.Dispose());
        }

        // Their places are free again.
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var next = cluster.ChannelWith(null);
            if (await AuthorityAsync(next) == StatusCode.OK)
            {
                break;
            }

            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(Limit);
        }
    }

    [Fact]
    public async Task A_stranger_cannot_send_much()
    {
        await using var cluster = await TestCluster.StartAsync();
        using var channel = cluster.ChannelWith(null);
        var refused = await Should.ThrowAsync<RpcException>(() => new Enrolment.EnrolmentClient(channel).JoinAsync(
            new JoinRequest { CertificateRequest = ByteString.CopyFrom(new byte[64 * 1024]) }).ResponseAsync);
        refused.StatusCode.ShouldBe(StatusCode.ResourceExhausted);
        (await AuthorityAsync(channel)).ShouldBe(StatusCode.OK);
    }

    private static async Task<StatusCode> CheckAsync(GrpcChannel channel)
    {
        try
        {
            await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest()).ResponseAsync.WaitAsync(Limit);
            return StatusCode.OK;
        }
        catch (RpcException refused)
        {
            return refused.StatusCode;
        }
    }

    private static async Task<StatusCode> AuthorityAsync(GrpcChannel channel)
    {
        try
        {
            await new Enrolment.EnrolmentClient(channel).GetAuthorityAsync(new GetAuthorityRequest())
                .ResponseAsync.WaitAsync(Limit);
            return StatusCode.OK;
        }
        catch (RpcException refused)
        {
            return refused.StatusCode;
        }
    }
}
