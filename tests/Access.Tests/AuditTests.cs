using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hexcast.Access.Audit;
using Hexcast.Access.Credentials;
using Hexcast.Platform.Access;

namespace Hexcast.Access.Tests;

public sealed class AuditTests : IAsyncLifetime
{
    private AccessNode node = null!;

    public async ValueTask InitializeAsync() => node = await AccessNode.StartAsync();

    public ValueTask DisposeAsync() => node.DisposeAsync();

    [Fact]
    public async Task Who_did_what_to_what_and_how_it_ended_is_written_before_the_answer()
    {
        var (reader, id) = await node.MakeAsync("read", tenant: "school");
        (await node.SendAsync(HttpMethod.Post, "/change/m1", reader)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var entry = JsonNode.Parse(node.AuditLines.Trim().Split('\n')[^1])!;
        ((string)entry["who"]!).ShouldBe("a read");
        ((string)entry["credential"]!).ShouldBe(id);
        ((string)entry["tenant"]!).ShouldBe("school");
        ((string)entry["action"]!).ShouldBe("door.change");
        ((string)entry["target"]!).ShouldBe("m1");
        ((string)entry["address"]!).ShouldBe("127.0.0.1");
        ((string)entry["outcome"]!).ShouldBe("ok");

        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Post, "/fails/m2", reader), 500, "internal");
        ((string)(await node.AuditAsync())[0]!["outcome"]!).ShouldBe("internal");
    }

    [Fact]
    public async Task Sign_ins_tokens_and_refusals_are_all_there_and_no_secret_is()
    {
        var (reader, id) = await node.MakeAsync("read");
        var cookie = await node.SignInAsync(reader);
        (await node.SendAsync(
            HttpMethod.Post, "/v1/session", body: JsonContent.Create(new { token = "hxc_wrong" }))).Dispose();
        (await node.SendAsync(HttpMethod.Get, "/v1/tokens", reader)).Dispose();
        (await node.SendAsync(HttpMethod.Post, "/change/x", headers: ("Cookie", cookie))).Dispose();
        (await node.SendAsync(HttpMethod.Get, "/read", "hxc_wrong")).Dispose();
        (await node.SendAsync(HttpMethod.Delete, $"/v1/tokens/{id}", node.AdminToken)).Dispose();
        var told = (await node.AuditAsync()).Select(e => $"{e!["action"]} {e["outcome"]}").Reverse();
        told.ShouldBe(
        [
            "token.create ok", "session.begin ok", "session.begin credential_invalid", "GET /v1/tokens scope_missing",
            "door.change cross_site", "GET /read credential_invalid", "token.revoke ok",
        ]);
        foreach (var secret in new[] { reader, cookie.Split('.')[^1], node.AdminToken })
        {
            node.AuditLines.ShouldNotContain(secret);
            node.Log.ShouldNotContain(secret);
        }
    }

    [Fact]
    public async Task Nobody_floods_the_log_with_refusals()
    {
        for (var i = 0; i < 100; i++)
        {
            (await node.SendAsync(HttpMethod.Get, "/read", Secret.NewToken().Text)).Dispose();
        }

        (await node.AuditAsync()).Count.ShouldBeLessThan(40);
    }

    [Fact]
    public async Task Pages_follow_each_other_without_a_gap_or_a_repetition()
    {
        for (var i = 0; i < 25; i++)
        {
            (await node.SendAsync(HttpMethod.Post, $"/change/{i}", node.AdminToken)).Dispose();
        }

        var targets = new List<string>();
        string? cursor = "";
        while (cursor is not null)
        {
            using var answer = await node.SendAsync(
                HttpMethod.Get, $"/v1/audit?limit=10&cursor={cursor}", node.AdminToken);
            var page = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            targets.AddRange(page["entries"]!.AsArray().Select(e => (string)e!["target"]!));
            cursor = (string?)page["next_cursor"];
        }

        targets.ShouldBe(Enumerable.Range(0, 25).Reverse().Select(i => $"{i}"));
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=501")]
    [InlineData("cursor=x")]
    [InlineData("cursor=1--1")]
    [InlineData("cursor=99999999999999-1")]
    public async Task A_page_that_cannot_be_is_refused(string query) =>
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Get, "/v1/audit?" + query, node.AdminToken), 400, "invalid_argument");
}

public sealed class AuditFilesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-audit-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Files_are_turned_over_and_the_oldest_goes_beyond_the_limit()
    {
        var options = new AccessOptions { AuditMebibytes = 16 };
        var files = new AuditFiles(folder, options);
        var big = new string('x', 1 << 20);
        for (var i = 0; i < 40; i++)
        {
            files.Append([Entry($"{i}", big)]);
        }

        var kept = Directory.GetFiles(folder);
        kept.Length.ShouldBe(2);
        kept.ShouldAllBe(path => new FileInfo(path).Length <= AuditFiles.FileBytes
            && File.GetUnixFileMode(path) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        var newest = files.Read(500, null, null).Entries.Select(e => e.Action).ToList();
        newest[0].ShouldBe("39");
        newest.Count.ShouldBeInRange(7, 16);
    }

    [Fact]
    public void A_line_that_was_being_written_at_the_crash_is_cut_and_what_was_acknowledged_stays()
    {
        var files = new AuditFiles(folder, new AccessOptions());
        files.Append([Entry("first"), Entry("second")]);
        File.AppendAllText(Directory.GetFiles(folder).Single(), """{"at":"2026-11-22T13:""");

        var again = new AuditFiles(folder, new AccessOptions());
        again.Append([Entry("third")]);
        Actions(again).ShouldBe(["third", "second", "first"]);
        Actions(new AuditFiles(folder, new AccessOptions())).ShouldBe(["third", "second", "first"]);
    }

    [Fact]
    public void A_line_of_before_is_read()
    {
        // As one was written on 2026-11-22, by name and value.
        File.WriteAllText(Path.Combine(folder, "audit-000001.jsonl"),
            """{"at":"2026-11-22T13:05:06.789Z","who":"a read","credential":"abc","tenant":null,"target":"m1",""" +
            """ "action":"media.delete","address":"127.0.0.1","outcome":"ok","trace_id":"4bf9"}""" + "\n");
        new AuditFiles(folder, new AccessOptions()).Read(10, null, null).Entries.ShouldBe([new AuditEntry(
            new DateTimeOffset(2026, 11, 22, 13, 5, 6, 789, TimeSpan.Zero), "a read", "abc", null, "media.delete", "m1",
            "127.0.0.1", "ok", "4bf9")]);
    }

    [Fact]
    public void A_line_that_somebody_spoilt_hides_no_other()
    {
        var files = new AuditFiles(folder, new AccessOptions());
        files.Append([Entry("first")]);
        var path = Directory.GetFiles(folder).Single();
        File.AppendAllText(path, "no json\n[1]\n");
        var again = new AuditFiles(folder, new AccessOptions());
        again.Append([Entry("second")]);
        Actions(again).ShouldBe(["second", "first"]);
    }

    [Fact]
    public void A_tenant_sees_its_own_entries_only_however_many_lie_between()
    {
        var files = new AuditFiles(folder, new AccessOptions());
        files.Append([Entry("own", tenant: "school")]);
        for (var i = 0; i < 6; i++)
        {
            files.Append(Enumerable.Range(0, 8).Select(_ => Entry("other", new string('x', 1 << 20), "other")));
        }

        var found = new List<string>();
        AuditPosition? cursor = null;
        do
        {
            var page = files.Read(10, cursor, "school");
            found.AddRange(page.Entries.Select(e => e.Action));
            cursor = page.Next is { } next ? AuditPosition.Parse(next.ToString()) : null;
        }
        while (cursor is not null);

        found.ShouldBe(["own"]);
    }

    private static IEnumerable<string> Actions(AuditFiles files) =>
        files.Read(10, null, null).Entries.Select(e => e.Action);

    private static AuditEntry Entry(string action, string target = "", string? tenant = null) =>
        new(DateTimeOffset.UnixEpoch, "who", "id", tenant, action, target, "127.0.0.1", "ok", null);
}
