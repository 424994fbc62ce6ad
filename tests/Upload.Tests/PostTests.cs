using System.Net;

namespace Hexcast.Upload.Tests;

public sealed class PostTests : UploadFixture
{
    protected override (string, string)[] Settings => [("Upload:MaxSizeBytes", "1000000"), ("Upload:MaxUploads", "3")];

    [Fact]
    public async Task An_upload_is_made_with_a_place_to_send_to()
    {
        using var answer = await PostAsync(100, ("filename", "a.mp4"));
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        answer.Headers.Location!.ToString().ShouldStartWith("/v1/uploads/");
        Header(answer, "Tus-Resumable").ShouldBe("1.0.0");
        Header(answer, "Upload-Expires").ShouldEndWith("GMT");
        answer.Content.Headers.ContentLength.ShouldBe(0);
    }

    [Fact]
    public async Task The_first_bytes_may_come_with_the_creation()
    {
        var content = new ByteArrayContent(Bytes(40));
        content.Headers.ContentType = new(OffsetType);
        using var answer = await SendAsync(HttpMethod.Post, "/v1/uploads", content, ("Upload-Length", "100"));
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        Header(answer, "Upload-Offset").ShouldBe("40");
        (await OffsetAsync(answer.Headers.Location!.ToString())).ShouldBe(40);
    }

    [Fact]
    public async Task A_whole_file_may_come_with_the_creation()
    {
        var file = Bytes(100);
        var content = new ByteArrayContent(file);
        content.Headers.ContentType = new(OffsetType);
        using var answer = await SendAsync(HttpMethod.Post, "/v1/uploads", content, ("Upload-Length", "100"));
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        (await SourceAsync(answer.Headers.Location!.ToString())).ShouldBe(file);
        Catalog.Completed.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_creation_s_body_needs_the_content_type_of_tus()
    {
        using var answer = await SendAsync(
            HttpMethod.Post, "/v1/uploads", new ByteArrayContent(Bytes(40)), ("Upload-Length", "100"));
        await ShouldBeProblemAsync(answer, 415, "unsupported_media_type");
    }

    [Fact]
    public async Task An_empty_file_is_refused_before_it_is_anything()
    {
        using var answer = await PostAsync(0);
        await ShouldBeProblemAsync(answer, 400, "invalid_argument");
    }

    [Fact]
    public async Task A_file_over_the_limit_is_refused()
    {
        using var answer = await PostAsync(1_000_001);
        await ShouldBeProblemAsync(answer, 413, "too_large");
    }

    [Fact]
    public async Task More_uploads_than_the_limit_are_refused_until_one_ends()
    {
        var first = await CreateAsync(10);
        await CreateAsync(10);
        await CreateAsync(10);
        using (var refused = await PostAsync(10))
        {
            await ShouldBeProblemAsync(refused, 429, "resource_exhausted");
        }

        using (await SendAsync(HttpMethod.Delete, first))
        {
        }

        await CreateAsync(10);
    }

    [Theory]
    [InlineData("Upload-Defer-Length", "1")]
    [InlineData("Upload-Concat", "partial")]
    [InlineData("Upload-Length", "-5")]
    [InlineData("Upload-Length", "many")]
    public async Task What_is_not_supported_or_makes_no_sense_is_named(string header, string value)
    {
        using var answer = await SendAsync(HttpMethod.Post, "/v1/uploads", null, (header, value));
        await ShouldBeProblemAsync(answer, 400, "invalid_argument");
        (await answer.Content.ReadAsStringAsync()).ShouldContain(header);
    }

    [Fact]
    public async Task An_unknown_preset_is_refused_and_the_known_ones_are_named()
    {
        using var answer = await PostAsync(100, ("preset", "8k_vr"));
        await ShouldBeProblemAsync(answer, 400, "unknown_preset");
        (await answer.Content.ReadAsStringAsync()).ShouldContain("ladder_h264_aac");
    }

    [Theory]
    [InlineData("filename")]
    [InlineData("filename YS5tcDQ=,empty")]
    [InlineData("filename YS5tcDQ=, title QQ==")]
    [InlineData("")]
    public async Task Metadata_in_the_form_of_tus_is_taken(string metadata)
    {
        using var answer = await SendAsync(
            HttpMethod.Post, "/v1/uploads", null, ("Upload-Length", "10"), ("Upload-Metadata", metadata));
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("filename not*base64")]
    [InlineData("filename YQ== YQ==")]
    [InlineData("title /w==")]
    [InlineData("title AAA=")]
    [InlineData("title QQ==,title Qg==")]
    [InlineData(",")]
    [InlineData("sha256 YWJj")]
    [InlineData("policy c2VjcmV0")]
    [InlineData("class Zmlyc3Q=")]
    public async Task Metadata_that_is_none_is_refused(string metadata)
    {
        using var answer = await SendAsync(
            HttpMethod.Post, "/v1/uploads", null, ("Upload-Length", "10"), ("Upload-Metadata", metadata));
        await ShouldBeProblemAsync(answer, 400, "invalid_argument");
    }

    [Fact]
    public async Task Long_titles_and_many_tags_are_refused()
    {
        using (var title = await PostAsync(10, ("title", new string('x', 301))))
        {
            await ShouldBeProblemAsync(title, 400, "invalid_argument");
        }

        using var tags = await PostAsync(10, ("tags", string.Join(',', Enumerable.Range(0, 33))));
        await ShouldBeProblemAsync(tags, 400, "invalid_argument");
    }

    [Fact]
    public async Task Another_verb_on_the_collection_is_not_allowed()
    {
        using var answer = await SendAsync(HttpMethod.Get, "/v1/uploads");
        answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        Header(answer, "Allow").ShouldBe("OPTIONS,POST");
    }
}
