using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Core;

namespace Hexcast.Catalog.Tests;

public sealed class MediaApiTests : CatalogFixture
{
    [Fact]
    public async Task A_media_is_told_with_its_job_and_a_tag()
    {
        var (mediaId, job) = await OrderAsync("My film.mp4");
        using var answer = await Http.GetAsync($"/v1/media/{mediaId}");
        answer.Headers.ETag!.Tag.ShouldBe("\"2\"");
        var media = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        ((string)media["title"]!).ShouldBe("My film");
        ((string)media["filename"]!).ShouldBe("My film.mp4");
        ((string)media["policy"]!).ShouldBe("public");
        ((string)media["watch_url"]!).ShouldBe($"/watch/{mediaId}");
        ((string)media["sha256"]!).Length.ShouldBe(64);
        media["error"].ShouldBeNull();
        media["renditions"]!.AsArray().ShouldBeEmpty();
        ((string)media["job"]!["job_id"]!).ShouldBe(job.JobId);
        ((string)media["job"]!["tasks"]![0]!["kind"]!).ShouldBe("encode_chunk");
        ((string)media["job"]!["tasks"]![0]!["state"]!).ShouldBe("running");
    }

    [Fact]
    public async Task A_task_is_told_with_its_needs_its_times_and_its_last_failure()
    {
        var (mediaId, _) = await OrderAsync();
        var task = (await GetAsync(mediaId))["job"]!["tasks"]![0]!;
        task["needs"]!.AsArray().Select(need => (string)need!).ShouldBe(["probe"]);
        ((int)task["attempts"]!).ShouldBe(2);
        ((string)task["started_at"]!).ShouldBe("2023-11-14T22:13:20.000Z");
        task["ended_at"].ShouldBeNull();
        ((string)task["failure"]!["code"]!).ShouldBe("tool_failed");
        ((string)task["failure"]!["log_tail"]!).ShouldBe("in its own words");
    }

    [Fact]
    public async Task Head_answers_as_get_does_without_the_body()
    {
        var mediaId = await UploadAsync();
        foreach (var path in new[] { "/v1/media", $"/v1/media/{mediaId}" })
        {
            using var answer = await Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
            (await answer.Content.ReadAsStringAsync()).ShouldBeEmpty();
        }

        using var none = await Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/v1/media/nonsense"));
        none.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Without_the_master_a_media_is_told_without_its_job()
    {
        var (mediaId, _) = await OrderAsync();
        Master.Refusal = StatusCode.Unavailable;
        (await GetAsync(mediaId))["job"].ShouldBeNull();
    }

    [Theory]
    [InlineData("01k00000000000000000000000")]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("0")]
    public async Task An_unknown_media_is_not_found(string id)
    {
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Delete, HttpMethod.Patch })
        {
            using var answer = await Http.SendAsync(new HttpRequestMessage(method, $"/v1/media/{id}"));
            answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task Pages_hold_every_media_once_newest_first()
    {
        var uploaded = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            uploaded.Add(await UploadAsync($"{i}.mp4"));
        }

        var listed = new List<string>();
        var cursor = "";
        do
        {
            var page = (await Http.GetFromJsonAsync<JsonObject>($"/v1/media?limit=3&cursor={cursor}"))!;
            listed.AddRange(Ids(page));
            cursor = (string?)page["next_cursor"];
            // What comes in between is newer than every cursor: it moves nothing.
            await UploadAsync("later.mp4");
        }
        while (cursor is not null);

        listed.ShouldBe(uploaded.OrderDescending(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Lists_are_narrowed_by_state_and_tags()
    {
        var red = await UploadAsync("a.mp4", "red");
        var both = await UploadAsync("b.mp4", "red", "big");
        await StateAsync(red, "processing");
        await StateAsync(both, "processing");
        (await ListAsync("tag=red")).ShouldBe([both, red]);
        (await ListAsync("tag=red&tag=big")).ShouldBe([both]);
        (await ListAsync("tag=re")).ShouldBeEmpty();
        (await ListAsync("state=processing")).ShouldBe([both, red]);
        (await ListAsync("state=ready")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=201")]
    [InlineData("limit=x")]
    [InlineData("cursor=x")]
    [InlineData("state=odd")]
    public async Task A_question_that_makes_no_sense_is_refused(string query)
    {
        using var answer = await Http.GetAsync($"/v1/media?{query}");
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_change_is_made_only_to_what_the_client_has_seen()
    {
        var (mediaId, _) = await OrderAsync();
        using (var stale = await PatchAsync(mediaId, """{"title":"no"}""", "\"1\""))
        {
            stale.StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);
        }

        using var answer = await PatchAsync(
            mediaId, """{"title":" Neu ","tags":["b","a","b",""],"policy":"signed"}""", "\"2\"");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.ETag!.Tag.ShouldBe("\"3\"");
        var media = await GetAsync(mediaId);
        ((string)media["title"]!).ShouldBe("Neu");
        media["tags"]!.ToJsonString().ShouldBe("""["b","a"]""");
        ((string)media["policy"]!).ShouldBe("signed");
        (await ListAsync("tag=a")).ShouldBe([mediaId]);
        (await ListAsync("q=neu")).ShouldBe([mediaId]);
    }

    [Theory]
    [InlineData("""{"policy":"secret"}""")]
    [InlineData("""{"titel":"x"}""")]
    [InlineData("""{"title":1}""")]
    [InlineData("""{"title":"a\u0000b"}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("{")]
    public async Task A_change_that_makes_no_sense_is_refused(string body)
    {
        var (mediaId, _) = await OrderAsync();
        using var answer = await PatchAsync(mediaId, body);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Changes_over_the_limits_are_refused()
    {
        var (mediaId, _) = await OrderAsync();
        using var title = await PatchAsync(mediaId, $$"""{"title":"{{new string('x', 301)}}"}""");
        title.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var many = string.Join(',', Enumerable.Range(0, 33).Select(i => $"\"{i}\""));
        using var tags = await PatchAsync(mediaId, $$"""{"tags":[{{many}}]}""");
        tags.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var large = await PatchAsync(mediaId, $$"""{"title":"{{new string('x', 70_000)}}"}""");
        large.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        using var none = await PatchAsync(mediaId, """{"tags":[null]}""");
        none.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("nächte", true)]
    [InlineData("NACHTE", true)]
    [InlineData("sommer nä", true)]
    [InlineData("lange", true)]
    [InlineData("urlaub", true)]
    [InlineData("winter", false)]
    [InlineData("sommer winter", false)]
    [InlineData("ommer", false)]
    public async Task Words_are_found_by_their_beginning_in_title_file_name_and_tags(string query, bool found)
    {
        var mediaId = await UploadAsync("Sommer-Nächte_lange.mp4", "urlaub");
        (await ListAsync($"q={Uri.EscapeDataString(query)}")).ShouldBe(found ? [mediaId] : []);
    }

    [Theory]
    [InlineData("\"")]
    [InlineData("a\" OR title:*")]
    [InlineData("AND OR NOT NEAR(")]
    [InlineData("title:x ^y {z}")]
    [InlineData("* ** -x +y")]
    [InlineData("'; DROP TABLE media; --")]
    [InlineData("%_\\")]
    [InlineData("\u0301")]
    [InlineData("\u0301 x")]
    [InlineData("\uD83D\uDE00")]
    [InlineData("a\u0000b")]
    [InlineData("\uE000")]
    public async Task Whatever_is_asked_for_is_only_looked_for(string query)
    {
        await UploadAsync("film.mp4");
        using var answer = await Http.GetAsync($"/v1/media?q={Uri.EscapeDataString(query)}");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        (await ListAsync("q=film")).Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_very_long_question_is_refused()
    {
        using var answer = await Http.GetAsync($"/v1/media?q={new string('x', 201)}");
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    private async Task<string[]> ListAsync(string query) =>
        Ids((await Http.GetFromJsonAsync<JsonObject>($"/v1/media?{query}"))!);

    private static string[] Ids(JsonObject page) => [.. page["media"]!.AsArray().Select(m => (string)m!["media_id"]!)];

    private Task<HttpResponseMessage> PatchAsync(string mediaId, string body, string? ifMatch = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Patch, $"/v1/media/{mediaId}")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (ifMatch is not null)
        {
            request.Headers.Add("If-Match", ifMatch);
        }

        return Http.SendAsync(request);
    }
}
