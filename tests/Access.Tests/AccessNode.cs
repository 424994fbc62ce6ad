using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Hexcast.Coordination;
using Hexcast.Harness;
using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Access.Tests;

/// <summary>The real role and coordinator, with a few doors to knock at, on a clock that the test moves.</summary>
internal sealed class AccessNode : IAsyncDisposable
{
    private readonly (string Key, string Value)[] settings;
    private HostedNode node = null!;

    private AccessNode((string, string)[] settings) => this.settings = settings;

    public string Folder { get; } = Directory.CreateTempSubdirectory("hexcast-access-").FullName;

    public AccessClock Clock { get; } = new();

    /// <summary>Sends what it is given and nothing else: no cookies, no redirects.</summary>
    public HttpClient Http { get; private set; } = null!;

    public string AdminToken => File.ReadAllText(Platform.Access.AdminToken.PathIn(Folder)).Trim();

    public string Log => ReadShared(Path.Combine(Folder, "log"));

    public string AuditLines => string.Concat(
        Directory.GetFiles(Path.Combine(Folder, "audit")).Order(StringComparer.Ordinal).Select(ReadShared));

    public T Get<T>() where T : notnull => node.Get<T>();

    public static async Task<AccessNode> StartAsync(params (string Key, string Value)[] settings)
    {
        var started = new AccessNode(settings);
        await started.BootAsync();
        return started;
    }

    public async Task RestartAsync()
    {
        Http.Dispose();
        await node.DisposeAsync();
        await BootAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await node.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? token = null, HttpContent? body = null,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Makes a token; its secret and id.</summary>
    public async Task<(string Secret, string Id)> MakeAsync(
        string scope, string? tenant = null, int? expiresIn = null, string? by = null)
    {
        using var answer = await SendAsync(HttpMethod.Post, "/v1/tokens", by ?? AdminToken, JsonContent.Create(
            new { name = $"a {scope}", scopes = scope.Split(','), tenant, expires_in = expiresIn }));
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
        var made = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        return ((string)made["secret"]!, (string)made["id"]!);
    }

    /// <summary>Signs in; the cookie as "name=value".</summary>
    public async Task<string> SignInAsync(string token)
    {
        using var answer = await SendAsync(
            HttpMethod.Post, "/v1/session", body: JsonContent.Create(new { token }));
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent, await answer.Content.ReadAsStringAsync());
        return CookieOf(answer)!;
    }

    public static string? CookieOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies.Single().Split(';')[0] : null;

    public static async Task ShouldBeAsync(HttpResponseMessage answer, int status, string code)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync();
            ((int)answer.StatusCode).ShouldBe(status, text);
            ((string)JsonNode.Parse(text)!["code"]!).ShouldBe(code);
        }
    }

    public async Task<JsonArray> AuditAsync(string query = "limit=500")
    {
        using var answer = await SendAsync(HttpMethod.Get, "/v1/audit?" + query, AdminToken);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["entries"]!.AsArray();
    }

    private async Task BootAsync()
    {
        node = await HostedNode.StartAsync(
            Folder,
            [new CoordinationModule(), new AccessModule(), new Doors(), new ClockOf(Clock)],
            settings);
        var handler = new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false };
        if (settings.FirstOrDefault(setting => setting.Key == "Tls:CertificateFile").Value is { } file)
        {
            var own = X509CertificateLoader.LoadCertificateFromFile(file).GetCertHashString();
            handler.SslOptions.RemoteCertificateValidationCallback =
                (_, shown, _, _) => shown?.GetCertHashString() == own;
        }

        Http = new HttpClient(handler) { BaseAddress = node.Address };
    }

    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private sealed class Doors : RoleModule
    {
        public override void AddServices(RoleBuilder role)
        {
        }

        public override void MapHttp(IEndpointRouteBuilder http)
        {
            http.MapGet("/read", Who).RequireScope(Scope.Read);
            http.MapPost("/change/{id}", Who).RequireScope(Scope.Read).Audited("door.change");
            http.MapGet("/platform", Who).RequireScope(Scope.Admin, everyTenant: true);
            http.MapGet("/stream", StreamAsync).RequireScope(Scope.Read);
            http.MapGet("/page", Who).RequireScope(Scope.Read).Page();
            http.MapGet("/open", async (HttpContext context) =>
                (await context.FindPrincipalAsync())?.Name ?? "nobody").AllowAnyone();
            http.MapPost("/fails/{id}", void (HttpContext _) => throw new InvalidOperationException("a defect"))
                .RequireScope(Scope.Read).Audited("door.fail");
        }

        private static async Task StreamAsync(HttpContext context)
        {
            await context.Response.WriteAsync("here\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        }

        private static string Who(HttpContext context) => context.Principal().Id;
    }

    private sealed class ClockOf(AccessClock clock) : RoleModule
    {
        public override void AddServices(RoleBuilder role) => role.Services.AddSingleton<TimeProvider>(clock);
    }
}

/// <summary>The system's clock, set forward as far as a test wants; timers run as ever.</summary>
internal sealed class AccessClock : TimeProvider
{
    private long aheadTicks;

    public override DateTimeOffset GetUtcNow() =>
        System.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref aheadTicks));

    public void Advance(TimeSpan by) => Interlocked.Add(ref aheadTicks, by.Ticks);
}
