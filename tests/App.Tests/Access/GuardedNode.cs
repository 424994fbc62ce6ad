using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Hexcast.Harness;
using Hexcast.Platform.Access;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.App.Tests.Access;

/// <summary>A node with every role, a media and an upload of the tenant "school", and tokens of all kinds.</summary>
public sealed class GuardedNode : IAsyncLifetime
{
    public const string Forged = "hxc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    private static readonly string[] AnyMethod = ["OPTIONS", "HEAD", "POST", "PATCH", "DELETE"];

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("hexcast-guarded-");
    private HostedNode running = null!;
    private HttpClient http = null!;
    private string uploadId = "", schoolTokenId = "";
    private int knocks;

    public string MediaId { get; private set; } = "";

    public string Revoked { get; private set; } = "";

    public string Expired { get; private set; } = "";

    public string Uploader { get; private set; } = "";

    public string UploaderAndReader { get; private set; } = "";

    public string OwnTenantsAdmin { get; private set; } = "";

    public string OtherTenantsAdmin { get; private set; } = "";

    public string OtherTenantsReader { get; private set; } = "";

    internal IReadOnlyList<Door> Doors { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        // Each knock comes from an address of its own: wrong ones are counted by address.
        running = await HostedNode.StartAsync(
            folder.FullName,
            [.. Targets.Table.Select(target => target.Module())],
            ("Access:TrustedProxies:0", "127.0.0.1"));
        http = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false })
        {
            BaseAddress = running.Address,
        };
        await MakeTokensAsync();
        await MakeThingsAsync();
        Doors = [.. running.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<AccessRule>() is not null).SelectMany(DoorsOf)];
        Doors.Count.ShouldBeGreaterThan(20);
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await running.DisposeAsync();
        folder.Delete(recursive: true);
    }

    /// <param name="onlyLook">The headers are enough: some answers never end.</param>
    internal Task<HttpResponseMessage> KnockAsync(Door door, string? token, bool onlyLook = false) => SendAsync(
        new HttpMethod(onlyLook && !SameOrigin.IsSafe(door.Method) ? "OPTIONS" : door.Method), door.Path, token);

    internal async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? token, HttpContent? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        knocks++;
        request.Headers.Add("X-Forwarded-For", $"10.0.{knocks / 250}.{knocks % 250}");
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return await http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    private IEnumerable<Door> DoorsOf(RouteEndpoint endpoint)
    {
        var path = "/" + string.Join('/', endpoint.RoutePattern.PathSegments.Select(segment => string.Concat(
            segment.Parts.Select(part => part switch
            {
                Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart parameter =>
                    ValueOf(parameter.Name, endpoint.RoutePattern.RawText!),
                Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
                _ => "x",
            }))));
        var methods = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? AnyMethod;
        return methods.Select(method => new Door(method, path, endpoint));
    }

    private string ValueOf(string parameter, string route) => parameter switch
    {
        "media_id" or "id" when route.Contains("uploads", StringComparison.Ordinal) => uploadId,
        "media_id" => MediaId,
        "id" => route.Contains("tokens", StringComparison.Ordinal) ? schoolTokenId : MediaId,
        _ => "x",
    };

    private async Task MakeTokensAsync()
    {
        var admin = (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "admin.token"))).Trim();
        (OwnTenantsAdmin, schoolTokenId) = await MakeAsync(admin, "school", "admin");
        (OtherTenantsAdmin, _) = await MakeAsync(admin, "other", "admin");
        (OtherTenantsReader, _) = await MakeAsync(admin, "other", "read");
        (Uploader, _) = await MakeAsync(admin, "school", "upload");
        (UploaderAndReader, _) = await MakeAsync(admin, "school", "upload", "read");
        (Revoked, var revokedId) = await MakeAsync(admin, "school", "admin");
        (await SendAsync(HttpMethod.Delete, $"/v1/tokens/{revokedId}", admin)).Dispose();
        (Expired, _) = await MakeAsync(admin, null, 1, "admin");
        while ((await SendAsync(HttpMethod.Get, "/v1/session", Expired)).StatusCode == HttpStatusCode.OK)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private Task<(string Secret, string Id)> MakeAsync(string admin, string? tenant, params string[] scopes) =>
        MakeAsync(admin, tenant, null, scopes);

    private async Task<(string Secret, string Id)> MakeAsync(
        string admin, string? tenant, int? seconds, params string[] scopes)
    {
        using var answer = await SendAsync(HttpMethod.Post, "/v1/tokens", admin, JsonContent.Create(
            new { name = string.Join(' ', scopes), scopes, tenant, expires_in = seconds }));
        var made = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        return ((string)made["secret"]!, (string)made["id"]!);
    }

    private async Task MakeThingsAsync()
    {
        using var whole = new HttpRequestMessage(HttpMethod.Post, "/v1/uploads?filename=junk.mp4")
        {
            Content = new ByteArrayContent(Encoding.ASCII.GetBytes("no video")),
        };
        whole.Content.Headers.ContentType = new("video/mp4");
        whole.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OwnTenantsAdmin);
        using var media = await http.SendAsync(whole, TestContext.Current.CancellationToken);
        var text = await media.Content.ReadAsStringAsync();
        media.StatusCode.ShouldBe(HttpStatusCode.Created, text);
        MediaId = (string)JsonNode.Parse(text)!["media_id"]!;

        using var begin = new HttpRequestMessage(HttpMethod.Post, "/v1/uploads");
        begin.Headers.Add("Tus-Resumable", "1.0.0");
        begin.Headers.Add("Upload-Length", "100");
        begin.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OwnTenantsAdmin);
        using var upload = await http.SendAsync(begin, TestContext.Current.CancellationToken);
        uploadId = upload.Headers.Location!.OriginalString.Split('/')[^1];
    }
}
