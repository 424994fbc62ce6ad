using System.Net;
using Hexcast.Testing;

namespace Hexcast.Upload.Tests;

/// <summary>The kernel's own full device stands where the file was.</summary>
public sealed class DiskFaultTests : UploadFixture
{
    private static readonly byte[] File1 = Bytes(2_000_000);

    [Theory]
    [InlineData(".part")]
    [InlineData(".journal")]
    public async Task A_full_disk_is_named_and_the_upload_goes_on_where_it_was(string file)
    {
        var location = await CreateAsync(File1.Length);
        using (await PatchAsync(location, 0, File1.AsMemory(0, 700_000)))
        {
        }

        var path = PathOf(location, file);
        File.Move(path, path + ".aside");
        File.CreateSymbolicLink(path, "/dev/full");
        using (var full = await PatchAsync(location, 700_000, File1.AsMemory(700_000)))
        {
            await ShouldBeProblemAsync(full, 507, "storage_full");
        }

        File.Delete(path);
        File.Move(path + ".aside", path);
        (await OffsetAsync(location)).ShouldBe(700_000);
        using var answer = await PatchAsync(location, 700_000, File1.AsMemory(700_000));
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await SourceAsync(location)).ShouldBe(File1);
    }

    [Fact]
    public async Task When_the_disk_is_full_as_the_last_byte_is_there_the_upload_is_published_once_there_is_space()
    {
        var location = await CreateAsync(File1.Length);
        var stuck = new Stuck(File1, File1.Length, announced: false);
        var running = PatchAsync(location, 0, stuck);
        await Eventually.HoldsAsync(async () => await OffsetAsync(location) == File1.Length, "bytes are lost");

        var path = PathOf(location, ".journal");
        File.Move(path, path + ".aside");
        File.CreateSymbolicLink(path, "/dev/full");
        stuck.Release();
        await Should.ThrowAsync<HttpRequestException>(running);
        await Eventually.HoldsAsync(() => Log().Contains("cannot be finished yet"), "nobody goes on with it");
        Catalog.Calls.ShouldBe(0);

        File.Delete(path);
        File.Move(path + ".aside", path);
        await Eventually.HoldsAsync(
            () => File.ReadAllText(path).Contains("\"finished\""), "the upload is not over");
        (await SourceAsync(location)).ShouldBe(File1);
    }
}
