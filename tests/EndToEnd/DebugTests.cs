using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Hexcast.EndToEnd;

public sealed class DebugTests(SharedPlatform shared)
{
    [Fact]
    public async Task A_profile_is_a_nettrace_file_and_one_is_taken_at_a_time()
    {
        // Of its own: the shared one is profiled by a page of the documentation.
        using var folder = new TempFolder();
        await using var platform = await PlatformProcess.StartAsync(folder.Path);
        using var first = await platform.Http.GetAsync(
            "/debug/profile?seconds=10", HttpCompletionOption.ResponseHeadersRead);
        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        using (var second = await platform.Http.GetAsync("/debug/profile?seconds=1"))
        {
            second.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        }

        var trace = await first.Content.ReadAsByteArrayAsync();
        Encoding.ASCII.GetString(trace, 0, 8).ShouldBe("Nettrace");
        // The end of the file, which the runtime writes when it is told to stop: with it come the methods' names.
        trace.Length.ShouldBeGreaterThan(100_000);
        first.Content.Headers.ContentDisposition!.FileName!.ShouldEndWith(".nettrace");
    }

    [Theory]
    [InlineData("0")]
    [InlineData("61")]
    [InlineData("-1")]
    [InlineData("soon")]
    public async Task A_profile_lasts_1_to_60_seconds(string seconds)
    {
        using var answer = await shared.Http.GetAsync($"/debug/profile?seconds={seconds}");
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("1 to 60");
    }

    [Theory]
    [InlineData("/metrics", null, HttpStatusCode.OK)]
    [InlineData("/metrics", "203.0.113.7", HttpStatusCode.Unauthorized)]
    [InlineData("/debug/vars", null, HttpStatusCode.Unauthorized)]
    [InlineData("/debug/profile", null, HttpStatusCode.Unauthorized)]
    public async Task Without_a_token_this_machine_may_read_metrics_and_nobody_may_look_further(
        string path, string? forwardedFor, HttpStatusCode expected)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, shared.Url(path));
        if (forwardedFor is not null)
        {
            // A reverse proxy on this machine that asks for somebody else.
            request.Headers.Add("X-Forwarded-For", forwardedFor);
        }

        using var answer = await http.SendAsync(request);
        answer.StatusCode.ShouldBe(expected);
    }

    [Fact]
    public async Task Variables_tell_what_runs_here_and_with_which_options()
    {
        var vars = (await shared.Http.GetFromJsonAsync<JsonObject>("/debug/vars"))!;
        ((string)vars["version"]!).ShouldNotBeEmpty();
        vars["roles"]!.AsArray().Select(role => (string)role!).ShouldContain("upload");
        ((double)vars["uptime_seconds"]!).ShouldBeGreaterThan(0);
        ((long)vars["gc"]!["heap_bytes"]!).ShouldBeGreaterThan(0);
        ((string)vars["options"]!["Worker"]!["Sandbox"]!).ShouldBe("Required");
        vars["depths"]!.AsObject().ShouldContainKey("transcode_queue_length{class=\"hd\"}");
    }
}
