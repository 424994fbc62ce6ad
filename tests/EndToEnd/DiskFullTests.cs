using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hexcast.Harness.Faults;

namespace Hexcast.EndToEnd;

/// <summary>A full disk is named, loses nothing that was acknowledged, and is over as soon as there is space.</summary>
public sealed class DiskFullTests
{
    private const int LeftBytes = 512 * 1024;

    [Fact]
    public async Task An_upload_onto_a_full_disk_is_told_so_and_goes_on_where_it_was()
    {
        using var folder = new TempFolder();
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 4, size: "1280x720");
        var bytes = await File.ReadAllBytesAsync(clip);
        bytes.Length.ShouldBeGreaterThan(2 * LeftBytes);
        await using var platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"), ("", "400m"));
        using var created = await platform.Api.CreateUploadAsync(bytes.Length, ("filename", "clip.mp4"));
        var location = created.Headers.Location!.ToString();

        var ballast = FullDisk.FillUp(platform, "", LeftBytes);
        using var refused = await platform.Api.PatchAsync(location, 0, bytes);

        refused.StatusCode.ShouldBe(HttpStatusCode.InsufficientStorage);
        (await refused.Content.ReadAsStringAsync()).ShouldContain("storage_full");
        var offset = await platform.Api.OffsetAsync(location);
        offset.ShouldBeLessThan(bytes.Length);

        File.Delete(ballast);
        using var accepted = await platform.Api.PatchAsync(location, offset, bytes.AsMemory((int)offset));
        accepted.StatusCode.ShouldBe(HttpStatusCode.NoContent, await accepted.Content.ReadAsStringAsync());
        await platform.Api.WaitForAsync(location.Split('/')[^1], "ready");
    }

    // Full before the first folder, and full in the middle of an encode.
    [Theory]
    [InlineData(0)]
    [InlineData(128 * 1024)]
    public async Task A_job_whose_scratch_is_full_says_so_and_goes_on_by_itself_once_there_is_space(int leftBytes)
    {
        using var folder = new TempFolder();
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 4);
        await using var platform = await PlatformProcess.StartAsync(
            Path.Combine(folder.Path, "data"), ("scratch", "100m"));
        var ballast = FullDisk.FillUp(platform, "scratch", leftBytes);

        var id = await platform.Api.UploadAsync(clip);
        await Wait.ForAsync(
            async () => (await platform.Api.GetAsync(id))["job"]?["tasks"]?.AsArray()
                .Any(task => (string?)task!["failure"]?["code"] == "scratch_full") == true,
            TimeSpan.FromMinutes(1), () => $"no task says that it has no space:\n{platform.Log}");

        File.Delete(ballast);
        await platform.Api.WaitForAsync(id, "ready");
    }

    [Fact]
    public async Task While_the_store_is_full_what_is_there_plays_and_what_came_meanwhile_is_ready_afterwards()
    {
        using var folder = new TempFolder();
        await using var disk = await FullDisk.StartAsync(Path.Combine(folder.Path, "data"), "objects");
        await disk.RoundAsync();
    }

    [Fact]
    public async Task Without_space_for_the_audit_log_no_token_is_given_out_and_nothing_else_goes_unwritten()
    {
        using var folder = new TempFolder();
        await using var platform = await PlatformProcess.StartAsync(
            Path.Combine(folder.Path, "data"), ("audit", "64k"));
        var ballast = FullDisk.FillUp(platform, "audit", leftBytes: 0);

        using (var refused = await MakeTokenAsync(platform))
        {
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            (await refused.Content.ReadAsStringAsync()).ShouldContain("audit_unavailable");
        }

        var tokens = await platform.Http.GetFromJsonAsync<JsonNode>("/v1/tokens");
        ((bool)tokens!["tokens"]!.AsArray().ShouldHaveSingleItem()!["admin_file"]!).ShouldBeTrue();
        using (var signedIn = await platform.Http.PostAsJsonAsync("/v1/session", new { token = platform.AdminToken }))
        {
            signedIn.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        }

        (await ScrapeAsync(platform)).Value("audit_entries_waiting").ShouldBe(2);
        const string words = "The audit log cannot be written";
        await Wait.ForAsync(
            () => Task.FromResult(platform.Log.Contains(words, StringComparison.Ordinal)), TimeSpan.FromSeconds(30),
            () => $"it is not said:\n{platform.Log}");
        platform.Log.Split(words).Length.ShouldBe(2, "it is said once");

        File.Delete(ballast);
        using (var made = await MakeTokenAsync(platform))
        {
            made.StatusCode.ShouldBe(HttpStatusCode.Created);
        }

        var audit = await platform.Http.GetFromJsonAsync<JsonNode>("/v1/audit");
        audit!["entries"]!.AsArray().Select(entry => $"{entry!["action"]} {entry["outcome"]}").ShouldBe(
            ["token.create ok", "session.begin ok", "token.create audit_unavailable"]);
        var metrics = await ScrapeAsync(platform);
        metrics.Value("audit_entries_waiting").ShouldBe(0);
        metrics.Value("audit_entries_lost_total").ShouldBe(0);
    }

    private static Task<HttpResponseMessage> MakeTokenAsync(PlatformProcess platform) =>
        platform.Http.PostAsJsonAsync("/v1/tokens", new { name = "cms", scopes = new[] { "read" } });

    private static async Task<Exposition> ScrapeAsync(PlatformProcess platform) =>
        new(await platform.Http.GetStringAsync("/metrics"));
}
