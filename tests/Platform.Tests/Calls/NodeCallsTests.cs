using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1;
using Hexcast.Grpc;
using Hexcast.Harness;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Hexcast.Platform.Tests.Calls;

/// <summary>What every node's gRPC port offers, and what it bears.</summary>
public sealed class NodeCallsTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-calls-").FullName;

    public void Dispose()
    {
        NodeEvidence.KeepLog(Path.Combine(folder, "log"));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Health_follows_the_node_from_start_to_stop()
    {
        var loading = new Loading();
        await using var node = Build([], new ServiceRole(loading));
        var starting = node.StartAsync(CancellationToken.None);
        await loading.Begun.Task.WaitAsync(Limit);
        using var channel = ChannelTo(node);
        var health = new Health.HealthClient(channel);
        using var watch = health.Watch(new HealthCheckRequest());

        (await NextAsync(watch)).ShouldBe(ServingStatus.NotServing);
        loading.MayEnd.SetResult();
        await starting.WaitAsync(Limit);
        (await NextAsync(watch)).ShouldBe(ServingStatus.Serving);
        (await health.CheckAsync(new HealthCheckRequest { Service = "grpc.reflection.v1.ServerReflection" })).Status
            .ShouldBe(ServingStatus.Serving);

        var stopping = node.StopAsync();
        (await NextAsync(watch)).ShouldBe(ServingStatus.NotServing);
        await stopping.WaitAsync(Limit);
    }

    [Fact]
    public async Task Tools_learn_the_services_by_reflection()
    {
        await using var node = Build([]);
        await node.StartAsync(CancellationToken.None);
        using var channel = ChannelTo(node);
        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });

        (await call.ResponseStream.MoveNext().WaitAsync(Limit)).ShouldBeTrue();
        call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name)
            .ShouldBe(["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"]);
        await call.RequestStream.CompleteAsync();
    }

    [Fact]
    public async Task A_caller_over_a_methods_rate_is_told_when_to_try_again()
    {
        await using var node = Build(new()
        {
            ["Grpc:Limits:grpc.health.v1.Health/Check:RatePerSecond"] = "0.01",
            ["Grpc:Limits:grpc.health.v1.Health/Check:Burst"] = "2",
        });
        await node.StartAsync(CancellationToken.None);
        using var channel = ChannelTo(node);
        var health = new Health.HealthClient(channel);
        Task<HealthCheckResponse> Check(string callClass) => health.CheckAsync(
            new HealthCheckRequest(), new Metadata { { "x-qos-priority", callClass } }).ResponseAsync.WaitAsync(Limit);

        await Check("hd");
        await Check("hd");
        var refused = await Should.ThrowAsync<RpcException>(() => Check("hd"));

        refused.StatusCode.ShouldBe(StatusCode.ResourceExhausted);
        var wait = refused.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan();
        wait.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(100));
        int.Parse(refused.Trailers.GetValue("grpc-retry-pushback-ms")!)
            .ShouldBeInRange((int)wait.TotalMilliseconds, (int)wait.TotalMilliseconds + 1);
        GrpcErrors.Unwrap(refused).Code.ShouldBe(ErrorCodes.ResourceExhausted);
        (await Check("background")).Status.ShouldBe(ServingStatus.Serving);
        (await health.ListAsync(new HealthListRequest())).Statuses.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_stream_beyond_the_limit_is_refused_until_another_ends()
    {
        await using var node = Build(new()
        {
            ["Grpc:Limits:grpc.health.v1.Health/Watch:MaxRunning"] = "1",
            ["Grpc:Limits:grpc.health.v1.Health/Watch:MaxQueued"] = "0",
        });
        await node.StartAsync(CancellationToken.None);
        using var channel = ChannelTo(node);
        var health = new Health.HealthClient(channel);
        using (var first = health.Watch(new HealthCheckRequest()))
        {
            (await NextAsync(first)).ShouldBe(ServingStatus.Serving);
            using var second = health.Watch(new HealthCheckRequest());
            (await Should.ThrowAsync<RpcException>(() => NextAsync(second))).StatusCode
                .ShouldBe(StatusCode.ResourceExhausted);
        }

        // The server hears of the end a moment after the client's.
        async Task RunAnotherAsync()
        {
            while (true)
            {
                using var third = health.Watch(new HealthCheckRequest());
                try
                {
                    (await NextAsync(third)).ShouldBe(ServingStatus.Serving);
                    return;
                }
                catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
                {
                }
            }
        }

        await RunAnotherAsync().WaitAsync(Limit);
    }

    [Fact]
    public void Limits_that_make_no_sense_are_named()
    {
        var failure = Should.Throw<ConfigurationException>(() => Build(new()
        {
            ["Grpc:Limits:Check:MaxRunning"] = "1",
            ["Grpc:Limits:hexcast.v1.Transcoder/Transcode:MaxRunning"] = "0",
        }));
        failure.Message.ShouldContain("names Check, a method that no role serves");
        failure.Message.ShouldContain("has for hexcast.v1.Transcoder/Transcode");
    }

    [Theory]
    [InlineData("Grpc:Limits:a.B/C:MaxRuning", "3", "Grpc:Limits:a.B/C:MaxRuning is no option")]
    [InlineData("Grpc:Limits:a.B/C:MaxRunning", "many", "Grpc:Limits:a.B/C:MaxRunning = 'many' is no whole number")]
    [InlineData("Grpc:Limits:a.B/C", "5", "Grpc:Limits:a.B/C = '5' is no object of RatePerSecond")]
    [InlineData("Grpc:Limits", "5", "Grpc:Limits = '5' is no object of names")]
    public void A_limit_that_cannot_be_read_is_named_and_not_passed_over(string key, string value, string problem) =>
        Should.Throw<ConfigurationException>(() => Build(new() { [key] = value })).Message.ShouldContain(problem);

    [Theory]
    [InlineData("hexcast.v1.Transcoder/Transcod", "hexcast.v1.Transcoder/Transcode")]
    [InlineData("hexcast.v1.transcoder/transcode", "hexcast.v1.Transcoder/Transcode")]
    [InlineData("grpc.health.v1.Health/Chek", "grpc.health.v1.Health/Check")]
    [InlineData("etcdserverpb.KV/Rage", "etcdserverpb.KV/Range")]
    [InlineData("/grpc.health.v1.Health/Watch", "grpc.health.v1.Health/Watch")]
    public void A_limit_of_a_method_that_nobody_serves_is_refused_and_near_ones_are_named(string wrong, string near) =>
        Should.Throw<ConfigurationException>(() => Build(new() { [$"Grpc:Limits:{wrong}:MaxRunning"] = "1" }))
            .Message.ShouldContain($"names {wrong}, a method that no role serves. Near it are {near}, ");

    [Fact]
    public void Every_method_that_a_node_serves_may_have_a_limit() => Should.NotThrow(() => Build(new()
    {
        ["Grpc:Limits:grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo:MaxRunning"] = "1",
        ["Grpc:Limits:grpc.reflection.v1.ServerReflection/ServerReflectionInfo:MaxRunning"] = "1",
        ["Grpc:Limits:hexcast.v1.Scheduler/StreamHeartbeat:MaxRunning"] = "1",
        ["Grpc:Limits:etcdserverpb.Watch/Watch:MaxRunning"] = "1",
    }));

    [Fact]
    public void No_limits_are_none() => Should.NotThrow(() => Build(new() { ["Grpc:Limits"] = null }));

    [Fact]
    public void A_message_without_end_and_details_that_are_none_harm_no_header_and_no_caller()
    {
        var endless = new string('x', 999) + string.Concat(Enumerable.Repeat("🎬", 9999));
        var failure = GrpcErrors.Wrap(ErrorCodes.NotFound, new Google.Rpc.Status { Code = 5, Message = endless });
        failure.Status.Detail.Length.ShouldBeLessThan(1100);
        failure.Trailers.Sum(entry => entry.ValueBytes.Length).ShouldBeLessThan(3000);

        var damaged = new Google.Rpc.Status { Code = 5 };
        damaged.Details.Add(Any.Pack(new ErrorInfo { Reason = "odd", Domain = "hexcast" }));
        damaged.Details[0].Value = ByteString.CopyFrom(0xff, 0xff);
        GrpcErrors.Unwrap(damaged.ToRpcException()).Code.ShouldBe(ErrorCodes.NotFound);
    }

    private HexcastNode Build(Dictionary<string, string?> settings, params RoleModule[] modules) => HexcastHost.Build(
        new NodeSettings
        {
            DataFolder = folder,
            Http = new IPEndPoint(IPAddress.Loopback, 0),
            Grpc = new IPEndPoint(IPAddress.Loopback, 0),
            LogFile = Path.Combine(folder, "log"),
        },
        new ConfigurationBuilder().AddInMemoryCollection(settings).Build(),
        modules);

    private static GrpcChannel ChannelTo(HexcastNode node) =>
        node.Services.GetRequiredService<InMemoryTransport>().CreateChannel(new GrpcChannelOptions());

    private static async Task<ServingStatus> NextAsync(AsyncServerStreamingCall<HealthCheckResponse> watch)
    {
        (await watch.ResponseStream.MoveNext().WaitAsync(Limit)).ShouldBeTrue();
        return watch.ResponseStream.Current.Status;
    }

    private sealed class ServiceRole(IHostedService service) : RoleModule
    {
        public override void AddServices(RoleBuilder role) => role.Services.AddSingleton(service);
    }

    private sealed class Loading : IHostedService
    {
        public TaskCompletionSource Begun { get; } = new();

        public TaskCompletionSource MayEnd { get; } = new();

        public Task StartAsync(CancellationToken cancellationToken)
        {
            Begun.SetResult();
            return MayEnd.Task;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
