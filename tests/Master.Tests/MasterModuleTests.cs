using System.Net;
using System.Text.Json;
using Hexcast.Coordination;
using Hexcast.Coordination.Client;
using Hexcast.Harness;
using Hexcast.Platform.Hosting;
using Hexcast.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hexcast.Master.Tests;

/// <summary>How the role starts and dies in its node.</summary>
public sealed class MasterModuleTests(EtcdTests.Etcd etcd) : IDisposable, IClassFixture<EtcdTests.Etcd>
{
    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-master-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_mastership_that_cannot_go_on_takes_the_node_down()
    {
        await using var node = Build([new CoordinationModule(), new TestAccess(), new MasterModule(), new BrokenLog()]);
        await node.StartAsync(CancellationToken.None);
        var died = await Should.ThrowAsync<InvalidOperationException>(
            () => node.Died.WaitAsync(TimeSpan.FromSeconds(30)));
        died.Message.ShouldBe("the log is broken");
    }

    [Fact]
    public async Task On_etcd_too_a_mastership_that_cannot_go_on_takes_the_node_down()
    {
        await using var node = Build(
            [new CoordinationModule(), new TestAccess(), new MasterModule(), new BrokenLog()],
            new("Coordination:Mode", "Etcd"), new("Coordination:Endpoints:0", etcd.Address));
        await node.StartAsync(CancellationToken.None);
        var died = await Should.ThrowAsync<InvalidOperationException>(
            () => node.Died.WaitAsync(TimeSpan.FromSeconds(30)));
        died.Message.ShouldBe("the log is broken");
        // Another node may be the master at once: this one has given its lease back.
        (await etcd.Client.GetAsync(CoordinatorClient.ElectionKey, CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task A_line_of_the_log_has_the_fields_of_what_it_is_about_and_no_others()
    {
        await using (var node = Build([new CoordinationModule(), new TestAccess(), new MasterModule()]))
        {
            await node.StartAsync(CancellationToken.None);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while (!Lines().Any(IsOfTheMaster))
            {
                await Task.Delay(20, limit.Token);
            }
        }

        using var line = JsonDocument.Parse(Lines().First(IsOfTheMaster));
        line.RootElement.GetProperty("message").GetString()!.ShouldEndWith(": 0 unfinished jobs");
        line.RootElement.EnumerateObject().Select(field => field.Name)
            .ShouldBe(["time", "level", "service.name", "role", "message"], ignoreOrder: true);

        static bool IsOfTheMaster(string line) => line.Contains("master with fence");
    }

    private string[] Lines()
    {
        using var file = new FileStream(
            Path.Combine(folder, "log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        // The last part is empty, or a line that is being written.
        return reader.ReadToEnd().Split('\n')[..^1];
    }

    private HexcastNode Build(
        IReadOnlyList<RoleModule> modules, params IEnumerable<KeyValuePair<string, string?>> settings) =>
        HexcastHost.Build(
            new NodeSettings
            {
                DataFolder = folder,
                NodeId = "master-1",
                Http = new IPEndPoint(IPAddress.Loopback, 0),
                Grpc = new IPEndPoint(IPAddress.Loopback, EtcdMember.FreePort()),
                LogFile = Path.Combine(folder, "log"),
            },
            new ConfigurationBuilder().AddInMemoryCollection(settings).Build(),
            modules);

    private sealed class BrokenLog : RoleModule, ILogger<Mastership>
    {
        public override void AddServices(RoleBuilder role) => role.Services.AddSingleton<ILogger<Mastership>>(this);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => throw new InvalidOperationException("the log is broken");
    }
}
