using System.Net;
using Hexcast.Harness;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Platform.Tests;

public sealed class HexcastHostTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-host-").FullName;
    private readonly List<string> events = [];

    public void Dispose()
    {
        NodeEvidence.KeepLog(Path.Combine(folder, "log"));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Roles_start_in_the_order_of_the_table_and_stop_in_reverse()
    {
        await using (var node = Build(new Role("first", events), new Role("second", events)))
        {
            await node.StartAsync(CancellationToken.None);
        }

        events.ShouldBe(["first starts", "second starts", "second stops", "first stops"]);
    }

    [Fact]
    public async Task Failures_leave_as_problem_details_with_a_code()
    {
        await using var node = Build(new Role("only", events));
        await node.StartAsync(CancellationToken.None);
        using var http = Client(node);

        (await http.GetAsync("/healthz")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await http.GetAsync("/readyz")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await ShouldBeAsync(http, "/fails", HttpStatusCode.BadRequest, "unknown_preset");
        await ShouldBeAsync(http, "/breaks", HttpStatusCode.InternalServerError, "internal");
        await ShouldBeAsync(http, "/nowhere", HttpStatusCode.NotFound, "not_found");
    }

    [Fact]
    public async Task What_is_meant_for_roles_cannot_be_reached_over_the_port_for_people()
    {
        await using var node = Build(new Role("only", events));
        await node.StartAsync(CancellationToken.None);
        using var http = Client(node);
        (await http.GetAsync("/internal")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_loop_that_dies_is_told_to_whoever_runs_the_node()
    {
        await using var node = Build(new DyingRole());
        await node.StartAsync(CancellationToken.None);
        var failure = await Should.ThrowAsync<InvalidOperationException>(() => node.Died);
        failure.Message.ShouldBe("out of order");
    }

    [Fact]
    public async Task Cancelling_the_command_ends_no_loop_before_its_turn_to_stop()
    {
        var loop = new Endless();
        using var command = new CancellationTokenSource();
        await using var node = Build(new ServiceRole(loop));
        await node.StartAsync(command.Token);
        var stopping = await loop.Begun.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await command.CancelAsync();
        stopping.IsCancellationRequested.ShouldBeFalse();
        loop.ExecuteTask!.IsCompleted.ShouldBeFalse();

        await node.StopAsync();
        loop.ExecuteTask.IsCompleted.ShouldBeTrue();
        node.Died.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_service_that_fails_to_stop_does_not_keep_the_others_running()
    {
        RoleModule[] roles = [new Role("first", events), new ServiceRole(new Stuck()), new Role("last", events)];
        await using (var node = Build(roles))
        {
            await node.StartAsync(CancellationToken.None);
            await node.StopAsync();
        }

        events.ShouldBe(["first starts", "last starts", "last stops", "first stops"]);
        (await File.ReadAllTextAsync(Path.Combine(folder, "log"))).ShouldContain("Stuck did not stop as it should");
    }

    private HexcastNode Build(params RoleModule[] modules) => HexcastHost.Build(
        new NodeSettings
        {
            DataFolder = folder,
            Http = new IPEndPoint(IPAddress.Loopback, 0),
            Grpc = new IPEndPoint(IPAddress.Loopback, 0),
            LogFile = Path.Combine(folder, "log"),
        },
        new ConfigurationBuilder().Build(),
        modules);

    private static HttpClient Client(HexcastNode node)
    {
        var addresses = node.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        var first = addresses.First(address => address.StartsWith("http://127", StringComparison.Ordinal));
        return new HttpClient { BaseAddress = new Uri(first) };
    }

    private static async Task ShouldBeAsync(HttpClient http, string path, HttpStatusCode status, string code)
    {
        using var answer = await http.GetAsync(path);
        answer.StatusCode.ShouldBe(status);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        (await answer.Content.ReadAsStringAsync()).ShouldContain($"\"code\":\"{code}\"");
    }

    private sealed class Role(string name, List<string> events) : RoleModule
    {
        public override void AddServices(RoleBuilder role) =>
            role.Services.AddSingleton<IHostedService>(new Noting(name, events));

        public override void MapHttp(IEndpointRouteBuilder http)
        {
            http.MapGet("/fails", string () => throw new HexcastException(ErrorCodes.UnknownPreset, "No such."))
                .AllowAnyone();
            http.MapGet("/breaks", string () => throw new InvalidOperationException("a defect")).AllowAnyone();
        }

        public override void MapGrpc(IEndpointRouteBuilder grpc) => grpc.MapGet("/internal", () => "for roles only");
    }

    private sealed class Noting(string name, List<string> events) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            events.Add($"{name} starts");
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            events.Add($"{name} stops");
            return Task.CompletedTask;
        }
    }

    private sealed class ServiceRole(IHostedService service) : RoleModule
    {
        public override void AddServices(RoleBuilder role) => role.Services.AddSingleton(service);
    }

    private sealed class Endless : BackgroundService
    {
        public TaskCompletionSource<CancellationToken> Begun { get; } = new();

        protected override Task ExecuteAsync(CancellationToken stoppingToken)
        {
            Begun.SetResult(stoppingToken);
            return Task.Delay(Timeout.InfiniteTimeSpan, stoppingToken);
        }
    }

    private sealed class Stuck : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => throw new InvalidOperationException("stuck");
    }

    private sealed class DyingRole : RoleModule
    {
        public override void AddServices(RoleBuilder role) => role.Services.AddHostedService<Dying>();
    }

    private sealed class Dying : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidOperationException("out of order");
        }
    }
}
