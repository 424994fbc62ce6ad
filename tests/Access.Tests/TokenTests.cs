using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hexcast.Access.Credentials;

namespace Hexcast.Access.Tests;

public sealed class TokenTests : IAsyncLifetime
{
    private AccessNode node = null!;

    public async ValueTask InitializeAsync() => node = await AccessNode.StartAsync();

    public ValueTask DisposeAsync() => node.DisposeAsync();

    [Fact]
    public async Task Nobody_comes_in_without_a_credential_and_is_told_how()
    {
        using var answer = await node.SendAsync(HttpMethod.Get, "/read");
        answer.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
        await AccessNode.ShouldBeAsync(answer, 401, "unauthenticated");
    }

    [Theory]
    [InlineData("hxc_short")]
    [InlineData("eyJhbGciOiJub25lIn0.e30.")]
    [InlineData("hxc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("")]
    public async Task A_forged_token_is_invalid(string token) =>
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Get, "/read", headers: ("Authorization", $"Bearer {token}")),
            401, "credential_invalid");

    [Fact]
    public async Task A_token_opens_what_its_scope_says_and_nothing_else()
    {
        var (reader, id) = await node.MakeAsync("read");
        using (var answer = await node.SendAsync(HttpMethod.Get, "/read", reader))
        {
            (await answer.Content.ReadAsStringAsync()).ShouldEndWith(id);
        }

        var (uploader, _) = await node.MakeAsync("upload");
        await AccessNode.ShouldBeAsync(await node.SendAsync(HttpMethod.Get, "/read", uploader), 403, "scope_missing");
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Get, "/v1/tokens", reader), 403, "scope_missing");
        (await node.SendAsync(HttpMethod.Get, "/read", node.AdminToken)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_revoked_token_is_worth_nothing_from_the_next_request_on()
    {
        var (token, id) = await node.MakeAsync("read");
        var cookie = await node.SignInAsync(token);
        (await node.SendAsync(HttpMethod.Delete, $"/v1/tokens/{id}", node.AdminToken))
            .StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Get, "/read", token), 401, "credential_invalid");
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Get, "/read", headers: ("Cookie", cookie)), 401, "credential_invalid");
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Delete, $"/v1/tokens/{id}", node.AdminToken), 404, "not_found");
    }

    [Fact]
    public async Task A_stream_that_is_under_way_ends_with_its_token()
    {
        var (token, id) = await node.MakeAsync("read");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/stream");
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await node.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        (await reader.ReadLineAsync()).ShouldBe("here");
        var rest = reader.ReadToEndAsync();
        (await node.SendAsync(HttpMethod.Delete, $"/v1/tokens/{id}", node.AdminToken))
            .StatusCode.ShouldBe(HttpStatusCode.NoContent);
        var cut = await Record.ExceptionAsync(() => rest.WaitAsync(TimeSpan.FromSeconds(30)));
        cut.ShouldNotBeNull();
        cut.ShouldNotBeOfType<TimeoutException>();
    }

    [Fact]
    public async Task A_token_may_revoke_itself_and_hears_that_it_did()
    {
        var (token, id) = await node.MakeAsync("admin");
        (await node.SendAsync(HttpMethod.Delete, $"/v1/tokens/{id}", token))
            .StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Get, "/read", token), 401, "credential_invalid");
    }

    [Fact]
    public async Task A_token_ends_when_it_says()
    {
        var (token, _) = await node.MakeAsync("read", expiresIn: 60);
        (await node.SendAsync(HttpMethod.Get, "/read", token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        node.Clock.Advance(TimeSpan.FromSeconds(61));
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Get, "/read", token), 401, "credential_expired");
    }

    [Fact]
    public async Task A_tokens_end_is_the_one_that_was_chosen_and_stands_in_every_answer()
    {
        const int chosenSeconds = 86_400;
        var earliest = node.Clock.GetUtcNow().AddSeconds(chosenSeconds);
        using var made = await node.SendAsync(HttpMethod.Post, "/v1/tokens", node.AdminToken, JsonContent.Create(
            new { name = "a day's", scopes = new[] { "read" }, expires_in = chosenSeconds }));
        var latest = node.Clock.GetUtcNow().AddSeconds(chosenSeconds);
        var answer = JsonNode.Parse(await made.Content.ReadAsStringAsync())!;
        var ends = DateTimeOffset.Parse((string)answer["expires_at"]!);
        // Whole milliseconds.
        ends.ShouldBeInRange(earliest.AddMilliseconds(-1), latest);

        using var listed = await node.SendAsync(HttpMethod.Get, "/v1/tokens", node.AdminToken);
        var tokens = JsonNode.Parse(await listed.Content.ReadAsStringAsync())!["tokens"]!.AsArray();
        ((string)tokens.Single(t => (string)t!["id"]! == (string)answer["id"]!)!["expires_at"]!)
            .ShouldBe((string)answer["expires_at"]!);
        using var asked = await node.SendAsync(HttpMethod.Get, "/v1/session", (string)answer["secret"]!);
        ((string)JsonNode.Parse(await asked.Content.ReadAsStringAsync())!["expires_at"]!)
            .ShouldBe((string)answer["expires_at"]!);

        // Left out it is never, and said so.
        var (_, id) = await node.MakeAsync("read");
        using var again = await node.SendAsync(HttpMethod.Get, "/v1/tokens", node.AdminToken);
        var endless = JsonNode.Parse(await again.Content.ReadAsStringAsync())!["tokens"]!.AsArray()
            .Single(t => (string)t!["id"]! == id)!.AsObject();
        endless.ContainsKey("expires_at").ShouldBeTrue();
        endless["expires_at"].ShouldBeNull();
    }

    [Fact]
    public async Task Tokens_and_sessions_outlive_a_restart_and_their_secrets_are_nowhere_on_the_disk()
    {
        var (token, _) = await node.MakeAsync("read");
        var cookie = await node.SignInAsync(token);
        await node.RestartAsync();
        (await node.SendAsync(HttpMethod.Get, "/read", token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await node.SendAsync(HttpMethod.Get, "/read", headers: ("Cookie", cookie)))
            .StatusCode.ShouldBe(HttpStatusCode.OK);

        string[] secrets = [token, cookie.Split('.')[^1], node.AdminToken];
        foreach (var file in Directory.GetFiles(node.Folder, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) is not ("admin.token" or "lock")))
        {
            var bytes = await ReadSharedAsync(file);
            foreach (var secret in secrets)
            {
                bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(secret)).ShouldBe(-1, file);
            }
        }
    }

    [Fact]
    public async Task The_admin_token_is_a_file_of_its_owner_and_a_new_one_ends_the_old()
    {
        var path = Path.Combine(node.Folder, "admin.token");
        File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var old = node.AdminToken;
        var cookie = await node.SignInAsync(old);
        await node.RestartAsync();
        node.AdminToken.ShouldBe(old);

        File.Delete(path);
        await node.RestartAsync();
        node.AdminToken.ShouldNotBe(old);
        (await node.SendAsync(HttpMethod.Get, "/read", node.AdminToken)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await AccessNode.ShouldBeAsync(await node.SendAsync(HttpMethod.Get, "/read", old), 401, "credential_invalid");
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Get, "/read", headers: ("Cookie", cookie)), 401, "credential_invalid");
    }

    [Fact]
    public async Task The_admin_token_is_not_revoked_by_the_API()
    {
        using var listed = await node.SendAsync(HttpMethod.Get, "/v1/tokens", node.AdminToken);
        var only = JsonNode.Parse(await listed.Content.ReadAsStringAsync())!["tokens"]!.AsArray().Single()!;
        ((bool)only["admin_file"]!).ShouldBeTrue();
        (await listed.Content.ReadAsStringAsync()).ShouldNotContain(node.AdminToken);
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Delete, $"/v1/tokens/{only["id"]}", node.AdminToken), 409, "conflict");
    }

    [Theory]
    [InlineData("hxc_nothing", 384)]
    [InlineData("", 384)]
    [InlineData(null, 420)]
    public void An_admin_token_file_that_cannot_be_used_is_named(string? content, int mode)
    {
        var path = Path.Combine(node.Folder, "other.token");
        if (content is null)
        {
            AdminTokenFile.Open(path);
        }
        else
        {
            File.WriteAllText(path, content);
        }

        File.SetUnixFileMode(path, (UnixFileMode)mode);
        Should.Throw<AdminTokenException>(() => AdminTokenFile.Open(path)).Message.ShouldContain(path);
    }

    [Theory]
    [InlineData("""{"name":"","scopes":["read"]}""", 400, "invalid_argument")]
    [InlineData("""{"name":"x","scopes":[]}""", 400, "invalid_argument")]
    [InlineData("""{"name":"x"}""", 400, "invalid_argument")]
    [InlineData("""{"name":"x","scopes":["root"]}""", 400, "invalid_argument")]
    [InlineData("""{"name":"x","scopes":[null]}""", 400, "invalid_argument")]
    [InlineData("""{"name":"x","scopes":["read"],"tenant":"../x"}""", 400, "invalid_argument")]
    [InlineData("""{"name":"x","scopes":["read"],"tenant":"x\n"}""", 400, "invalid_argument")]
    [InlineData("""{"name":"x","scopes":["read"],"expires_in":0}""", 400, "invalid_argument")]
    [InlineData("""{"name":"x","scopes":["read"],"expires_in":9223372036854775807}""", 400, "invalid_argument")]
    [InlineData("""{"name":"x","scopes":["read"],"id":"chosen"}""", 400, "invalid_argument")]
    [InlineData("""{"name":"x","name":"y","scopes":["read"]}""", 400, "invalid_argument")]
    [InlineData("null", 400, "invalid_argument")]
    [InlineData("[[[[[[[[[[[[", 400, "invalid_argument")]
    [InlineData("", 400, "invalid_argument")]
    public async Task A_token_that_may_not_be_is_refused_by_name(string body, int status, string code) =>
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Post, "/v1/tokens", node.AdminToken, new StringContent(body)),
            status, code);

    [Fact]
    public async Task A_body_beyond_the_limit_is_refused() =>
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Post, "/v1/tokens", node.AdminToken, new ByteArrayContent(new byte[5000])),
            413, "too_large");

    [Fact]
    public async Task An_admin_of_one_tenant_stays_within_it()
    {
        var (school, _) = await node.MakeAsync("admin", tenant: "school");
        var (other, otherId) = await node.MakeAsync("read", tenant: "other");
        var (made, _) = await node.MakeAsync("read", by: school);
        using (var answer = await node.SendAsync(HttpMethod.Get, "/v1/session", made))
        {
            ((string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["tenant"]!).ShouldBe("school");
        }

        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Post, "/v1/tokens", school, JsonContent.Create(
                new { name = "out", scopes = new[] { "admin" }, tenant = "other" })),
            403, "scope_missing");
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Delete, $"/v1/tokens/{otherId}", school), 404, "not_found");
        await AccessNode.ShouldBeAsync(await node.SendAsync(HttpMethod.Get, "/platform", school), 403, "scope_missing");
        using (var answer = await node.SendAsync(HttpMethod.Get, "/v1/tokens", school))
        {
            (await answer.Content.ReadAsStringAsync()).ShouldNotContain(otherId);
        }

        using (var answer = await node.SendAsync(HttpMethod.Get, "/v1/audit", school))
        {
            JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["entries"]!.AsArray()
                .ShouldAllBe(entry => (string)entry!["tenant"]! == "school");
        }
    }

    private static async Task<byte[]> ReadSharedAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes);
        return bytes;
    }
}
