using System.Net;
using System.Security.Cryptography;
using Grpc.Core;

namespace Hexcast.Upload.Tests;

public sealed class PatchTests : UploadFixture
{
    [Fact]
    public async Task The_last_patch_hands_the_file_to_catalog_before_it_is_answered()
    {
        var file = Bytes(3_000_000);
        var location = await CreateAsync(
            file.Length,
            ("filename", "a.mp4"), ("title", "A"), ("tags", "x, y"), ("policy", "signed"), ("class", "sd"));

        using (var first = await PatchAsync(location, 0, file.AsMemory(0, 1_000_000)))
        {
            first.StatusCode.ShouldBe(HttpStatusCode.NoContent);
            Header(first, "Upload-Offset").ShouldBe("1000000");
            Header(first, "Tus-Resumable").ShouldBe("1.0.0");
        }

        Catalog.Calls.ShouldBe(0);
        using var last = await PatchAsync(location, 1_000_000, file.AsMemory(1_000_000));

        last.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Header(last, "Upload-Offset").ShouldBe("3000000");
        var told = Catalog.Completed[location.Split('/')[^1]];
        told.Source.Length.ShouldBe(file.Length);
        told.Source.Sha256.ToByteArray().ShouldBe(SHA256.HashData(file));
        (told.Filename, told.Title, told.Policy, told.Class).ShouldBe(("a.mp4", "A", "signed", "sd"));
        told.Tags.ShouldBe(["x", "y"]);
        (await SourceAsync(location)).ShouldBe(file);
        File.Exists(PathOf(location, ".part")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_wrong_offset_is_a_conflict_and_changes_nothing()
    {
        var location = await CreateAsync(100);
        using (await PatchAsync(location, 0, Bytes(10)))
        {
        }

        using (var behind = await PatchAsync(location, 5, Bytes(10)))
        {
            await ShouldBeProblemAsync(behind, 409, "upload_offset_mismatch");
        }

        using (var ahead = await PatchAsync(location, 11, Bytes(10)))
        {
            await ShouldBeProblemAsync(ahead, 409, "upload_offset_mismatch");
        }

        (await OffsetAsync(location)).ShouldBe(10);
    }

    [Fact]
    public async Task Another_content_type_is_refused()
    {
        var location = await CreateAsync(100);
        using var answer = await SendAsync(
            HttpMethod.Patch, location, new ByteArrayContent(Bytes(10)), ("Upload-Offset", "0"));
        await ShouldBeProblemAsync(answer, 415, "unsupported_media_type");
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("ten")]
    [InlineData("1e3")]
    [InlineData("99999999999999999999")]
    public async Task An_offset_that_is_no_number_is_refused(string offset)
    {
        var location = await CreateAsync(100);
        var content = new ByteArrayContent(Bytes(10));
        content.Headers.ContentType = new(OffsetType);
        using var answer = await SendAsync(HttpMethod.Patch, location, content, ("Upload-Offset", offset));
        await ShouldBeProblemAsync(answer, 400, "invalid_argument");
    }

    [Fact]
    public async Task A_body_beyond_the_length_is_refused_before_it_is_read()
    {
        var location = await CreateAsync(100);
        using var answer = await PatchAsync(location, 0, Bytes(101));
        await ShouldBeProblemAsync(answer, 413, "too_large");
        (await OffsetAsync(location)).ShouldBe(0);
    }

    [Fact]
    public async Task A_body_of_unknown_length_is_refused_beyond_the_upload_s_length_and_what_fits_is_published()
    {
        var location = await CreateAsync(100);
        using var answer = await PatchAsync(location, 0, new Unannounced(Bytes(150)));
        await ShouldBeProblemAsync(answer, 413, "too_large");
        (await OffsetAsync(location)).ShouldBe(100);
        (await SourceAsync(location)).ShouldBe(Bytes(150)[..100]);
    }

    [Fact]
    public async Task A_request_that_speaks_no_tus_learns_the_version()
    {
        var location = await CreateAsync(100);
        var request = new HttpRequestMessage(HttpMethod.Patch, location) { Content = new ByteArrayContent(Bytes(10)) };
        request.Headers.Add("Tus-Resumable", "0.2.2");
        using var answer = await Http.SendAsync(request);
        await ShouldBeProblemAsync(answer, 412, "precondition_failed");
        Header(answer, "Tus-Version").ShouldBe("1.0.0");
    }

    [Fact]
    public async Task Post_with_the_method_override_patches()
    {
        var location = await CreateAsync(10);
        var content = new ByteArrayContent(Bytes(10));
        content.Headers.ContentType = new(OffsetType);
        using var answer = await SendAsync(
            HttpMethod.Post, location, content, ("Upload-Offset", "0"), ("X-HTTP-Method-Override", "PATCH"));
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task An_upload_that_nobody_knows_is_not_found()
    {
        using var unknown = await PatchAsync("/v1/uploads/01k00000000000000000000000", 0, Bytes(10));
        await ShouldBeProblemAsync(unknown, 404, "not_found");
        using var odd = await PatchAsync("/v1/uploads/..%2f..%2fetc%2fpasswd", 0, Bytes(10));
        await ShouldBeProblemAsync(odd, 404, "not_found");
    }

    [Theory]
    [InlineData("sha256")]
    [InlineData("md5")]
    public async Task A_file_with_the_announced_hash_is_taken(string algorithm)
    {
        var file = Bytes(100_000);
        var hash = algorithm == "sha256" ? SHA256.HashData(file) : MD5.HashData(file);
        var location = await CreateAsync(file.Length, (algorithm, Convert.ToHexString(hash)));
        using var answer = await PatchAsync(location, 0, file);
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Theory]
    [InlineData("sha256", 64)]
    [InlineData("md5", 32)]
    public async Task A_file_with_another_hash_is_removed_and_never_published(string algorithm, int digits)
    {
        var location = await CreateAsync(100, (algorithm, new string('0', digits)));
        using var answer = await PatchAsync(location, 0, Bytes(100));
        await ShouldBeProblemAsync(answer, 460, "upload_checksum_mismatch");

        Catalog.Calls.ShouldBe(0);
        (await SourceAsync(location)).ShouldBeNull();
        Directory.GetFiles(Path.Combine(Folder, "uploads")).ShouldBeEmpty();
        using var head = await SendAsync(HttpMethod.Head, location);
        head.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task While_catalog_is_away_the_client_is_told_and_the_upload_finishes_by_itself()
    {
        Catalog.Refusal = StatusCode.Unavailable;
        var location = await CreateAsync(100);
        using (var answer = await PatchAsync(location, 0, Bytes(100)))
        {
            await ShouldBeProblemAsync(answer, 503, "unavailable");
        }

        (await OffsetAsync(location)).ShouldBe(100);
        Catalog.Refusal = StatusCode.OK;
        await Testing.Eventually.HoldsAsync(() => !Catalog.Completed.IsEmpty, "the upload is not published");
        using var again = await PatchAsync(location, 100, ReadOnlyMemory<byte>.Empty);
        again.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Catalog.Completed.Count.ShouldBe(1);
    }
}
