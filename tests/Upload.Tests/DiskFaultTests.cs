using System.Net;

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
}
