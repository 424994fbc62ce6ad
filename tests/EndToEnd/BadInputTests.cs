using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Hexcast.EndToEnd;

/// <summary>One test a row of docs/operations/bad-input.md, over the public API.</summary>
public sealed class BadInputTests(SharedPlatform shared)
{
    [Fact]
    public async Task A_truncated_file_fails_with_a_name_and_the_tools_own_words()
    {
        var whole = shared.File("whole.mp4");
        await Clips.MakeStandardAsync(whole, seconds: 3);
        var cut = shared.File("truncated.mp4");
        // An MP4 with its index at the end, cut before it: nothing can be decoded.
        await File.WriteAllBytesAsync(cut, (await File.ReadAllBytesAsync(whole))[..20_000]);

        var error = await FailAsync(cut);

        ((string)error["code"]!).ShouldBe("source_not_media");
        ((string)error["message"]!).ShouldNotBeNullOrWhiteSpace();
        ((string)error["log_tail"]!).ShouldContain("moov");
    }

    [Fact]
    public async Task A_file_of_zero_bytes_is_refused_before_it_is_anything()
    {
        using var answer = await shared.Api.CreateUploadAsync(0, ("filename", "empty.mp4"));
        await ShouldBeProblemAsync(answer, HttpStatusCode.BadRequest, "invalid_argument");
    }

    [Fact]
    public async Task Text_that_is_called_mp4_fails_as_no_media()
    {
        var file = shared.File("text.mp4");
        await File.WriteAllTextAsync(file, string.Concat(Enumerable.Repeat("This is a letter, not a film.\n", 200)));
        ((string)(await FailAsync(file))["code"]!).ShouldBe("source_not_media");
    }

    [Theory]
    [InlineData("hls-file", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")]
    [InlineData("hls-concat", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nconcat:/etc/passwd|/etc/hosts\n")]
    [InlineData("concat", "ffconcat version 1.0\nfile /etc/passwd\n")]
    public async Task A_playlist_that_is_called_mp4_reads_no_file_of_the_machine(string name, string playlist)
    {
        var file = shared.File($"playlist-{name}.mp4");
        await File.WriteAllTextAsync(file, playlist);

        var error = await FailAsync(file);

        ((string)error["code"]!).ShouldBe("source_unsupported_format");
        error.ToJsonString().ShouldNotContain("root:");
    }

    [Fact]
    public async Task A_wrong_sha256_publishes_nothing()
    {
        var bytes = Encoding.UTF8.GetBytes("some bytes");
        using var created = await shared.Api.CreateUploadAsync(
            bytes.Length, ("filename", "a.mp4"), ("sha256", new string('0', 64)));
        var location = created.Headers.Location!.ToString();

        using var answer = await shared.Api.PatchAsync(location, 0, bytes);

        await ShouldBeProblemAsync(answer, (HttpStatusCode)460, "upload_checksum_mismatch");
        using var media = await shared.Http.GetAsync($"/v1/media/{location.Split('/')[^1]}");
        media.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_wrong_offset_is_a_conflict_and_changes_nothing()
    {
        using var created = await shared.Api.CreateUploadAsync(100, ("filename", "a.mp4"));
        var location = created.Headers.Location!.ToString();

        using var answer = await shared.Api.PatchAsync(location, 10, new byte[10]);

        await ShouldBeProblemAsync(answer, HttpStatusCode.Conflict, "upload_offset_mismatch");
        (await shared.Api.OffsetAsync(location)).ShouldBe(0);
    }

    [Fact]
    public async Task An_unknown_preset_is_refused_and_the_known_ones_are_named()
    {
        using var answer = await shared.Api.CreateUploadAsync(100, ("filename", "a.mp4"), ("preset", "8k_vr"));
        var problem = await ShouldBeProblemAsync(answer, HttpStatusCode.BadRequest, "unknown_preset");
        ((string)problem["detail"]!).ShouldContain("ladder_h264_aac");
    }

    [Fact]
    public async Task Forged_and_expired_tokens_open_nothing()
    {
        var clip = shared.File("signed.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 3);
        var id = await shared.Api.UploadAsync(clip, metadata: ("policy", "signed"));
        await shared.Api.WaitForAsync(id, "ready");
        var manifest = $"/play/{id}/master.m3u8";
        using var granted = await shared.Http.PostAsJsonAsync($"/v1/media/{id}/playback", new { ttl_seconds = 60 });
        var token = (string)(await granted.Content.ReadFromJsonAsync<JsonObject>())!["token"]!;

        (await shared.Http.GetAsync($"{manifest}?token={token}")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await ShouldBeProblemAsync(
            await shared.Http.GetAsync(manifest), HttpStatusCode.Unauthorized, "token_missing");
        var parts = token.Split('.');
        var claims = JsonNode.Parse(Convert.FromBase64String(Padded(parts[1])))!.AsObject();
        claims["exp"] = 4_000_000_000;
        var forged = $"{parts[0]}.{Base64Url(claims.ToJsonString())}.{parts[2]}";
        await ShouldBeProblemAsync(
            await shared.Http.GetAsync($"{manifest}?token={forged}"), HttpStatusCode.Forbidden, "token_invalid");
        var unsigned = $"{Base64Url("""{"alg":"none","typ":"JWT"}""")}.{Base64Url(claims.ToJsonString())}.";
        await ShouldBeProblemAsync(
            await shared.Http.GetAsync($"{manifest}?token={unsigned}"), HttpStatusCode.Forbidden, "token_invalid");

        using var brief = await shared.Http.PostAsJsonAsync($"/v1/media/{id}/playback", new { ttl_seconds = 1 });
        var shortLived = (string)(await brief.Content.ReadFromJsonAsync<JsonObject>())!["token"]!;
        HttpResponseMessage? answer = null;
        await Wait.ForAsync(
            async () =>
            {
                answer = await shared.Http.GetAsync($"{manifest}?token={shortLived}");
                return answer.StatusCode != HttpStatusCode.OK;
            },
            TimeSpan.FromSeconds(30),
            () => "a token of one second still opens after thirty");
        await ShouldBeProblemAsync(answer!, HttpStatusCode.Forbidden, "token_expired");
    }

    private async Task<JsonNode> FailAsync(string file)
    {
        var id = await shared.Api.UploadAsync(file);
        return (await shared.Api.WaitForAsync(id, "failed"))["error"]!;
    }

    private static async Task<JsonObject> ShouldBeProblemAsync(
        HttpResponseMessage answer, HttpStatusCode status, string code)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(status, text);
        answer.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
        var problem = JsonNode.Parse(text)!.AsObject();
        ((string)problem["code"]!).ShouldBe(code);
        return problem;
    }

    private static string Base64Url(string text) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static string Padded(string base64Url) =>
        base64Url.Replace('-', '+').Replace('_', '/').PadRight((base64Url.Length + 3) / 4 * 4, '=');
}
