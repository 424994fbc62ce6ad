using Grpc.Core;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Hexcast.Grpc.Tests;

public sealed class HealthTests
{
    readonly HealthServiceImpl _health = new();

    [Fact]
    public async Task Check_tells_the_status_and_refuses_a_service_it_does_not_know()
    {
        await using var host = await StartAsync();
        var client = new Health.HealthClient(host.Channel);
        _health.SetStatus("", ServingStatus.Serving);
        _health.SetStatus("some.Service", ServingStatus.NotServing);

        (await client.CheckAsync(new HealthCheckRequest())).Status.ShouldBe(ServingStatus.Serving);
        (await client.CheckAsync(new HealthCheckRequest { Service = "some.Service" })).Status
            .ShouldBe(ServingStatus.NotServing);
        var failure = await Should.ThrowAsync<RpcException>(
            () => client.CheckAsync(new HealthCheckRequest { Service = "other.Service" }).ResponseAsync);
        failure.StatusCode.ShouldBe(StatusCode.NotFound);

        var list = await client.ListAsync(new HealthListRequest());
        list.Statuses.ToDictionary(entry => entry.Key, entry => entry.Value.Status).ShouldBe(
            new Dictionary<string, ServingStatus>
            {
                [""] = ServingStatus.Serving, ["some.Service"] = ServingStatus.NotServing,
            },
            ignoreOrder: true);
    }

    [Fact]
    public async Task Watch_tells_each_change_once_from_a_service_unknown_to_the_server_stopping()
    {
        await using var host = await StartAsync();
        using var call = new Health.HealthClient(host.Channel).Watch(
            new HealthCheckRequest { Service = "some.Service" });
        async Task<ServingStatus> Next()
        {
            (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
            return call.ResponseStream.Current.Status;
        }

        (await Next()).ShouldBe(ServingStatus.ServiceUnknown);
        _health.SetStatus("some.Service", ServingStatus.Serving);
        (await Next()).ShouldBe(ServingStatus.Serving);
        _health.SetStatus("some.Service", ServingStatus.Serving);
        _health.SetStatus("other.Service", ServingStatus.NotServing);
        _health.ClearStatus("some.Service");
        (await Next()).ShouldBe(ServingStatus.ServiceUnknown);
        _health.SetStatus("some.Service", ServingStatus.Serving);
        (await Next()).ShouldBe(ServingStatus.Serving);
        _health.Shutdown();
        (await Next()).ShouldBe(ServingStatus.NotServing);
        (await Should.ThrowAsync<RpcException>(Next)).StatusCode.ShouldBe(StatusCode.Unavailable);

        _health.SetStatus("some.Service", ServingStatus.Serving);
        var check = await new Health.HealthClient(host.Channel).CheckAsync(
            new HealthCheckRequest { Service = "some.Service" });
        check.Status.ShouldBe(ServingStatus.NotServing);
    }

    [Fact]
    public async Task A_watcher_that_reads_late_learns_what_holds_now()
    {
        await using var host = await StartAsync();
        using var call = new Health.HealthClient(host.Channel).Watch(new HealthCheckRequest());
        await call.ResponseHeadersAsync.Within();
        for (var i = 0; i < 10_000; i++)
            _health.SetStatus("", i % 2 == 0 ? ServingStatus.NotServing : ServingStatus.Serving);

        _health.SetStatus("", ServingStatus.Unknown);
        ServingStatus last;
        do
        {
            (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
            last = call.ResponseStream.Current.Status;
        }
        while (last != ServingStatus.Unknown);
    }

    [Fact]
    public async Task Grpcio_checks_and_watches()
    {
        _health.SetStatus("", ServingStatus.Serving);
        await using var host = await StartAsync();
        await using var client = await PythonPeer.StartAsync(
            HealthReflection.Descriptor, "health.py", host.Address.Authority);

        (await client.ReadLineAsync()).ShouldBe("check SERVING");
        (await client.ReadLineAsync()).ShouldBe("watch SERVING");
        _health.SetStatus("", ServingStatus.NotServing);
        (await client.ReadLineAsync()).ShouldBe("watch NOT_SERVING");
        (await client.ReadToEndAsync()).ShouldBeEmpty();
    }

    Task<ProbeHost> StartAsync() => ProbeHost.StartAsync(
        Wiring.Tcp,
        new ProbeHandlers(),
        services: services => services.AddSingleton(_health),
        map: app => app.MapGrpcService<HealthServiceImpl>());
}
