using System.Net;
using Hexcast.Harness;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Testing;
using Hexcast.Upload;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Dashboard.Tests.Support;

/// <summary>A real node with Dashboard as the only role, beside others that the test holds.</summary>
internal sealed class DashboardHost : IAsyncDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("hexcast-dashboard-");
    private RoleNode node = null!;

    public FakeCatalog Catalog { get; } = new();

    public FakeScheduler Scheduler { get; } = new();

    public FakeApi Api { get; } = new();

    /// <summary>Keeps no cookies and follows no redirect.</summary>
    public HttpClient Http { get; private set; } = null!;

    public static async Task<DashboardHost> StartAsync(params (string Key, string Value)[] settings)
    {
        var host = new DashboardHost();
        host.node = await RoleNode.StartAsync(
            host.folder.FullName, [new DashboardModule(), new UploadModule(), new OtherRoles(host)], settings);
        host.Http = new HttpClient(new SecretRecorder(
            new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }))
        {
            BaseAddress = host.node.Http.BaseAddress,
        };
        return host;
    }

    public T Get<T>() where T : notnull => node.Get<T>();

    public Uri Url(string path) => new(Http.BaseAddress!, path);

    public async Task<string> PageAsync(string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var answer = await Http.GetAsync(path);
        var html = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(expected, html);
        return html;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await node.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private sealed class OtherRoles(DashboardHost host) : RoleModule
    {
        public override void AddServices(RoleBuilder role)
        {
            role.Services.AddSingleton(host.Catalog);
            role.Services.AddSingleton(host.Scheduler);
            role.Services.AddSingleton<ITokenBook>(host.Api.Tokens);
            role.Services.AddSingleton<IAuditReader>(host.Api.Tokens);
        }

        public override void MapHttp(IEndpointRouteBuilder http)
        {
            host.Api.Map(http);
            // A page that fails with the code in its address.
            http.MapGet("/broken/{code}", IResult (string code) => code == "bug"
                ? throw new InvalidOperationException("secret of the log")
                : throw new HexcastException(code, $"It failed with <b>{code}</b>."))
                .AllowAnyone().Page().ExcludeFromDescription();
        }

        public override void MapGrpc(IEndpointRouteBuilder grpc)
        {
            grpc.MapGrpcService<FakeCatalog>();
            grpc.MapGrpcService<FakeScheduler>();
            grpc.MapGrpcService<FakePlayback>();
        }
    }
}
