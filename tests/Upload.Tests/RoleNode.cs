using System.Net;
using Hexcast.Harness;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Testing;

/// <summary>A real node with the modules given, on a port of its own. Its folder outlives it.</summary>
internal sealed class RoleNode : IAsyncDisposable
{
    private readonly HexcastNode node;
    private readonly string logFile;

    private RoleNode(HexcastNode node, TestAccess access, IReadOnlyList<RoleModule> modules, string logFile)
    {
        (this.node, this.logFile, Access) = (node, logFile, access);
        var addresses = node.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Http = new HttpClient(new ContractHandler(
            string.Join('+', modules.Select(module => module.GetType().Name)),
            new SecretRecorder(new SocketsHttpHandler())))
        {
            BaseAddress = new Uri(addresses.First(a => a.StartsWith("http://127", StringComparison.Ordinal))),
        };
    }

    public HttpClient Http { get; }

    public TestAccess Access { get; }

    public T Get<T>() where T : notnull => node.Services.GetRequiredService<T>();

    public static async Task<RoleNode> StartAsync(
        string folder, IReadOnlyList<RoleModule> modules, params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create<string, string?>(s.Key, s.Value)))
            .Build();
        var access = new TestAccess();
        var log = Path.Combine(folder, "log");
        var built = HexcastHost.Build(
            new NodeSettings
            {
                DataFolder = folder,
                Http = new IPEndPoint(IPAddress.Loopback, 0),
                Grpc = new IPEndPoint(IPAddress.Loopback, 0),
                LogFile = log,
            },
            configuration,
            [access, .. modules]);
        await built.StartAsync(CancellationToken.None);
        return new RoleNode(built, access, modules, log);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await node.DisposeAsync();
        NodeEvidence.KeepLog(logFile);
    }
}

internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until the condition holds; the limit is only for a test that fails.</summary>
    public static async Task HoldsAsync(Func<Task<bool>> condition, string otherwise)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Limit)
            {
                throw new TimeoutException(otherwise);
            }

            await Task.Delay(Interval, TimeProvider.System);
        }
    }

    public static Task HoldsAsync(Func<bool> condition, string otherwise) =>
        HoldsAsync(() => Task.FromResult(condition()), otherwise);
}
