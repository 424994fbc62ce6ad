using Hexcast.Contracts;
using Hexcast.Harness;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Hexcast.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Playback.Tests.Support;

/// <summary>A real node with Playback as the only role, beside a catalogue that the test holds.</summary>
internal sealed class PlaybackHost : IAsyncDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("hexcast-playback-");
    private readonly List<RoleModule> modules = [];
    private HostedNode? node;

    private PlaybackHost()
    {
    }

    public FakeCatalog Catalog { get; } = new();

    /// <summary>Only for tests that ask for it; others run on the system's.</summary>
    public ManualClock Clock { get; } = new();

    public HttpClient Http { get; private set; } = null!;

    public string DataFolder => folder.FullName;

    public IObjectStore Store => Get<IObjectStore>();

    public T Get<T>() where T : notnull => node!.Get<T>();

    public static async Task<PlaybackHost> StartAsync(bool manualClock = false, params RoleModule[] beside)
    {
        var host = new PlaybackHost();
        var catalog = new CatalogRole(host.Catalog, manualClock ? host.Clock : null);
        host.modules.AddRange([new TestAccess(), new PlaybackModule(), catalog, .. beside]);
        await host.StartNodeAsync();
        return host;
    }

    /// <summary>Another process over the same data.</summary>
    public async Task RestartAsync()
    {
        await node!.DisposeAsync();
        Http.Dispose();
        await StartNodeAsync();
    }

    public static string NewMediaId() => MediaId.From(Guid.CreateVersion7()).ToString();

    public Uri Url(string path) => new(Http.BaseAddress!, path);

    public Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Get, path, headers);

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Waits until the role hears the catalogue's changes, and has emptied its cache for it.</summary>
    public Task WaitForFollowerAsync() => WaitForAsync(() => Catalog.Followers > 0);

    public static async Task WaitForAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await node!.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private async Task StartNodeAsync()
    {
        node = await HostedNode.StartAsync(folder.FullName, modules);
        Http = new HttpClient(new ContractHandler(
            string.Join('+', modules.Select(module => module.GetType().Name)),
            new SecretRecorder(new SocketsHttpHandler { UseCookies = false })))
        {
            BaseAddress = node.Address,
        };
    }

    private sealed class CatalogRole(FakeCatalog catalog, TimeProvider? clock) : RoleModule
    {
        public override void AddServices(RoleBuilder role)
        {
            role.Services.AddSingleton(catalog);
            if (clock is not null)
            {
                role.Services.AddSingleton(clock);
            }
        }

        public override void MapGrpc(IEndpointRouteBuilder grpc) => grpc.MapGrpcService<FakeCatalog>();
    }
}
