using System.Net;
using System.Text.Json.Nodes;
using Hexcast.Testing;

namespace Hexcast.Upload.Tests;

public sealed class PlainPostTests : UploadFixture
{
    protected override (string, string)[] Settings => [("Upload:MaxSizeBytes", "1000000")];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_post_takes_the_whole_file(bool announced)
    {
        var file = Bytes(200_000);
        HttpContent content = announced ? new ByteArrayContent(file) : new Unannounced(file);
        content.Headers.ContentType = new("video/mp4");

        using var answer = await Http.PostAsync("/v1/uploads?filename=a.mp4&title=A&tags=x,y&policy=signed", content);

        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        var said = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        var mediaId = (string)said["media_id"]!;
        ((string)said["watch_url"]!).ShouldBe($"/watch/{mediaId}");
        (await SourceAsync(mediaId)).ShouldBe(file);
        var told = Catalog.Completed[mediaId];
        (told.Title, told.Policy, told.Source.Length).ShouldBe(("A", "signed", 200_000));
        told.Tags.ShouldBe(["x", "y"]);
    }

    [Fact]
    public async Task A_post_that_names_no_type_and_no_tus_is_a_file_too()
    {
        var file = Bytes(1000);
        using var answer = await Http.PostAsync("/v1/uploads", new ByteArrayContent(file));
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        var said = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        (await SourceAsync((string)said["media_id"]!)).ShouldBe(file);
    }

    [Fact]
    public async Task A_broken_post_leaves_nothing_behind()
    {
        var content = new CutOff(Bytes(200_000), 100_000);
        content.Headers.ContentType = new("video/mp4");
        await Should.ThrowAsync<HttpRequestException>(() => Http.PostAsync("/v1/uploads", content));
        await Eventually.HoldsAsync(
            () => Directory.GetFiles(Path.Combine(Folder, "uploads")).Length == 0, "the half file is still there");
        Catalog.Calls.ShouldBe(0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_post_over_the_limit_is_refused_and_leaves_nothing_behind(bool announced)
    {
        var file = Bytes(1_000_001);
        HttpContent content = announced ? new ByteArrayContent(file) : new Unannounced(file);
        content.Headers.ContentType = new("video/mp4");
        using var answer = await Http.PostAsync("/v1/uploads", content);
        await ShouldBeProblemAsync(answer, 413, "too_large");
        Directory.GetFiles(Path.Combine(Folder, "uploads")).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_empty_post_is_refused()
    {
        var content = new Unannounced([]);
        content.Headers.ContentType = new("video/mp4");
        using var answer = await Http.PostAsync("/v1/uploads", content);
        await ShouldBeProblemAsync(answer, 400, "invalid_argument");
        Directory.GetFiles(Path.Combine(Folder, "uploads")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_form_is_told_to_send_the_file_itself()
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(Bytes(10)), "file", "a.mp4" } };
        using var answer = await Http.PostAsync("/v1/uploads", form);
        await ShouldBeProblemAsync(answer, 415, "unsupported_media_type");
    }
}
