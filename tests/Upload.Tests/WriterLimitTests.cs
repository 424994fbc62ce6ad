using System.Net;
using Hexcast.Testing;

namespace Hexcast.Upload.Tests;

public sealed class WriterLimitTests : UploadFixture
{
    protected override (string, string)[] Settings => [("Upload:MaxWriters", "1")];

    [Fact]
    public async Task A_refused_writer_leaves_no_upload_behind_and_may_come_again()
    {
        var file = Bytes(5000);
        var location = await CreateAsync(file.Length);
        var stuck = new Stuck(file, 1000);
        var running = PatchAsync(location, 0, stuck);
        await Eventually.HoldsAsync(async () => await OffsetAsync(location) == 1000, "the request does not run");

        using (var plain = await Http.PostAsync("/v1/uploads", new ByteArrayContent(file)))
        {
            await ShouldBeProblemAsync(plain, 429, "resource_exhausted");
        }

        using (var tus = await CreateWithBodyAsync(file))
        {
            await ShouldBeProblemAsync(tus, 429, "resource_exhausted");
        }

        Store.All.ShouldHaveSingleItem().Description.MediaId.ShouldBe(location.Split('/')[^1]);
        stuck.Release();
        await Should.ThrowAsync<HttpRequestException>(running);
        await Eventually.HoldsAsync(
            async () =>
            {
                using var again = await CreateWithBodyAsync(file);
                return again.StatusCode == HttpStatusCode.Created;
            },
            "the slot is not given back");
    }

    [Fact]
    public async Task A_creation_whose_body_is_too_long_leaves_no_upload_behind()
    {
        using var answer = await CreateWithBodyAsync(Bytes(101), length: 100);
        await ShouldBeProblemAsync(answer, 413, "too_large");
        Store.All.ShouldBeEmpty();
    }

    private Task<HttpResponseMessage> CreateWithBodyAsync(byte[] file, int? length = null)
    {
        var content = new ByteArrayContent(file);
        content.Headers.ContentType = new(OffsetType);
        return SendAsync(HttpMethod.Post, "/v1/uploads", content, ("Upload-Length", $"{length ?? file.Length}"));
    }
}
