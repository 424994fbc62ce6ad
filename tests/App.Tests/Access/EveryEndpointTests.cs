using System.Net;
using System.Text.Json.Nodes;
using Hexcast.Platform.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.App.Tests.Access;

/// <summary>
/// Knocks at every endpoint that the node has, with every credential that must not open it. Endpoints are found, not
/// listed: a new one is covered as soon as it is mapped.
/// </summary>
public sealed class EveryEndpointTests(GuardedNode node) : IClassFixture<GuardedNode>
{
    /// <summary>Keeps nothing but a cookie in the browser that sends it.</summary>
    private const string ThemeCookie = "/theme";

    [Fact]
    public async Task Nothing_opens_without_a_credential_or_with_one_that_is_forged_revoked_or_expired()
    {
        var faults = new List<string>();
        foreach (var (credential, code) in new[]
        {
            (null, "unauthenticated"), (GuardedNode.Forged, "credential_invalid"),
            (node.Revoked, "credential_invalid"), (node.Expired, "credential_expired"),
        })
        {
            foreach (var door in node.Doors.Where(door => !door.Rule.Anyone))
            {
                using var answer = await node.KnockAsync(door, credential);
                var well = door.IsPage
                    ? IsSentTo(answer, "/sign-in?next=%2F")
                    : answer.StatusCode == HttpStatusCode.Unauthorized && await IsAsync(answer, door, code);
                Note(faults, well, door, answer, code);
            }
        }

        faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_opens_to_a_token_without_its_scope()
    {
        var faults = new List<string>();
        foreach (var door in node.Doors.Where(door => door.Rule.Scope is not null))
        {
            var token = door.Rule.Scope switch
            {
                Scope.Upload => node.OtherTenantsReader,
                Scope.Read => node.Uploader,
                _ => node.UploaderAndReader,
            };
            using var answer = await node.KnockAsync(door, token);
            var well = door.IsPage
                ? IsSentTo(answer, "/sign-in?denied=1")
                : answer.StatusCode == HttpStatusCode.Forbidden && await IsAsync(answer, door, "scope_missing");
            Note(faults, well, door, answer, "scope_missing");
        }

        faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_about_the_platform_opens_to_no_admin_of_one_tenant()
    {
        var faults = new List<string>();
        foreach (var door in node.Doors.Where(door => door.Rule.EveryTenant))
        {
            using var answer = await node.KnockAsync(door, node.OtherTenantsAdmin);
            Note(faults, door.IsPage
                ? answer.StatusCode == HttpStatusCode.SeeOther : answer.StatusCode == HttpStatusCode.Forbidden,
                door, answer, "scope_missing");
        }

        faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task Media_uploads_and_tokens_of_another_tenant_do_not_exist()
    {
        var faults = new List<string>();
        foreach (var door in node.Doors.Where(door => door.NamesAThing && !door.Rule.Anyone && !door.Rule.EveryTenant))
        {
            using var own = await node.KnockAsync(door, node.OwnTenantsAdmin, onlyLook: true);
            using var answer = await node.KnockAsync(door, node.OtherTenantsAdmin);
            var unsupported = answer.StatusCode == HttpStatusCode.MethodNotAllowed || door.Method == "OPTIONS";
            Note(faults, unsupported || answer.StatusCode == HttpStatusCode.NotFound, door, answer, "not_found");
            if (HttpMethods.IsGet(door.Method))
            {
                Note(faults, own.StatusCode == HttpStatusCode.OK, door, own, "200 for its own tenant");
            }
        }

        faults.ShouldBeEmpty();
        foreach (var list in new[] { "/v1/media", "/v1/media?q=junk", "/v1/tokens", "/v1/audit" })
        {
            using var answer = await node.SendAsync(HttpMethod.Get, list, node.OtherTenantsAdmin);
            var text = await answer.Content.ReadAsStringAsync();
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
            // Its own audit log says for what it asked in vain.
            text.ShouldNotContain(list == "/v1/audit" ? "\"school\"" : node.MediaId, Case.Sensitive, list);
        }
    }

    [Fact]
    public void Whatever_can_change_something_is_audited() =>
        node.Doors.Where(door => !SameOrigin.IsSafe(door.Method) && door.Audit is null && door.Path != ThemeCookie)
            .Select(door => $"{door}").ShouldBeEmpty("Add .Audited(\"noun.verb\") to these");

    private static async Task<bool> IsAsync(HttpResponseMessage answer, Door door, string code) =>
        door.Method == "HEAD"
        || (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["code"] == code;

    private static bool IsSentTo(HttpResponseMessage answer, string path) =>
        answer.StatusCode == HttpStatusCode.SeeOther
        && answer.Headers.Location!.OriginalString.StartsWith(path, StringComparison.Ordinal);

    private static void Note(List<string> faults, bool well, Door door, HttpResponseMessage answer, string expected)
    {
        if (!well)
        {
            faults.Add($"{door} → {(int)answer.StatusCode}, not {expected}");
        }
    }
}

/// <summary>One way to call an endpoint.</summary>
internal sealed record Door(string Method, string Path, RouteEndpoint Endpoint)
{
    public AccessRule Rule => Endpoint.Metadata.GetMetadata<AccessRule>()!;

    public AuditRule? Audit => Endpoint.Metadata.GetMetadata<AuditRule>();

    public bool IsPage => Endpoint.Metadata.GetMetadata<PageRule>() is not null;

    public bool NamesAThing => Endpoint.RoutePattern.Parameters.Any(parameter => parameter.Name is "media_id" or "id");

    public override string ToString() => $"{Method} {Path}";
}
