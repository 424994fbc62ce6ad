using System.Net;
using Hexcast.Testing;

namespace Hexcast.Upload.Tests;

public sealed class HeadTests : UploadFixture
{
    [Fact]
    public async Task Head_tells_offset_length_and_metadata_and_is_not_cached()
    {
        var location = await CreateAsync(100, ("filename", "a b.mp4"), ("title", "Ä"));
        using (await PatchAsync(location, 0, Bytes(30)))
        {
        }

        using var answer = await SendAsync(HttpMethod.Head, location);
        Header(answer, "Upload-Offset").ShouldBe("30");
        Header(answer, "Upload-Length").ShouldBe("100");
        Header(answer, "Upload-Metadata").ShouldBe(Metadata(("filename", "a b.mp4"), ("title", "Ä")));
        Header(answer, "Cache-Control").ShouldBe("no-store");
    }

    [Fact]
    public async Task Head_counts_what_a_running_request_has_sent_so_far_and_makes_it_durable()
    {
        var file = Bytes(5000);
        var location = await CreateAsync(file.Length);
        var stuck = new Stuck(file, 1234);
        var running = PatchAsync(location, 0, stuck);

        await Eventually.HoldsAsync(async () => await OffsetAsync(location) == 1234, "the offset does not move");
        File.ReadAllText(PathOf(location, ".journal")).ShouldContain("\"Offset\":1234");
        stuck.Release();
        await Should.ThrowAsync<HttpRequestException>(running);
    }

    [Fact]
    public async Task Asking_for_the_offset_does_not_disturb_a_running_request()
    {
        var file = Bytes(40_000_000);
        var location = await CreateAsync(file.Length);
        var running = PatchAsync(location, 0, file);
        var last = 0L;
        while (!running.IsCompleted)
        {
            var offset = await OffsetAsync(location);
            offset.ShouldBeGreaterThanOrEqualTo(last);
            last = offset;
        }

        using var answer = await running;
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent, await answer.Content.ReadAsStringAsync());
        (await SourceAsync(location)).ShouldBe(file);
    }

    [Fact]
    public async Task A_finished_upload_stays_known_so_that_a_lost_answer_can_be_asked_for()
    {
        var location = await CreateAsync(10);
        using (await PatchAsync(location, 0, Bytes(10)))
        {
        }

        (await OffsetAsync(location)).ShouldBe(10);
        using var again = await PatchAsync(location, 10, ReadOnlyMemory<byte>.Empty);
        again.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Catalog.Calls.ShouldBe(1);
    }

    [Fact]
    public async Task An_unknown_upload_has_no_offset()
    {
        using var answer = await SendAsync(HttpMethod.Head, "/v1/uploads/01k00000000000000000000000");
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        Header(answer, "Upload-Offset").ShouldBeEmpty();
    }
}

public sealed class OptionsTests : UploadFixture
{
    [Fact]
    public async Task Options_says_what_is_spoken_here_to_whoever_asks()
    {
        using var answer = await Http.SendAsync(new HttpRequestMessage(HttpMethod.Options, "/v1/uploads"));
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Header(answer, "Tus-Version").ShouldBe("1.0.0");
        Header(answer, "Tus-Extension").ShouldBe("creation,creation-with-upload,termination,expiration");
        Header(answer, "Tus-Max-Size").ShouldBe((64L << 30).ToString());
    }
}

public sealed class DeleteTests : UploadFixture
{
    [Fact]
    public async Task A_terminated_upload_is_gone_with_its_bytes()
    {
        var location = await CreateAsync(100);
        using (await PatchAsync(location, 0, Bytes(30)))
        {
        }

        using var answer = await SendAsync(HttpMethod.Delete, location);
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Directory.GetFiles(Path.Combine(Folder, "uploads")).ShouldBeEmpty();
        using var head = await SendAsync(HttpMethod.Head, location);
        head.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        using var again = await SendAsync(HttpMethod.Delete, location);
        again.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_running_request_ends_before_its_upload_is_terminated()
    {
        var location = await CreateAsync(5000);
        var stuck = new Stuck(Bytes(5000), 1000);
        var running = PatchAsync(location, 0, stuck);
        await Eventually.HoldsAsync(async () => await OffsetAsync(location) == 1000, "the request does not run");

        using (var answer = await SendAsync(HttpMethod.Delete, location))
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        }

        stuck.Release();
        await Should.ThrowAsync<HttpRequestException>(running);
        Directory.GetFiles(Path.Combine(Folder, "uploads")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_finished_upload_is_a_media_and_is_deleted_there()
    {
        var location = await CreateAsync(10);
        using (await PatchAsync(location, 0, Bytes(10)))
        {
        }

        using var answer = await SendAsync(HttpMethod.Delete, location);
        await ShouldBeProblemAsync(answer, 409, "conflict");
        (await SourceAsync(location)).ShouldNotBeNull();
    }
}
