using System.Net;
using System.Security.Cryptography;

namespace Hexcast.Upload.Tests;

/// <summary>However an upload is split, cut and restarted, the same file comes out.</summary>
public sealed class RandomPathTests : UploadFixture
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Every_path_to_the_end_gives_the_same_file(int seed)
    {
        var random = new Random(seed);
        // Past a checkpoint in every third run.
        var file = Bytes(random.Next(1, seed % 3 == 0 ? 12_000_000 : 3_000_000), seed);
        var location = await CreateAsync(file.Length, ("sha256", Convert.ToHexString(SHA256.HashData(file))));
        var offset = 0;
        for (var step = 0; offset < file.Length; step++)
        {
            step.ShouldBeLessThan(500);
            var rest = file.AsMemory(offset);
            var next = rest[..(step > 12 ? rest.Length : random.Next(1, rest.Length + 1))];
            switch (random.Next(6))
            {
                case 0:
                    await ReopenAsync();
                    break;
                case 1:
                    await CutAsync(location, offset, next.ToArray(), random.Next(next.Length));
                    break;
                case 2:
                    using (await PatchAsync(location, offset, new Unannounced(next.ToArray())))
                    {
                    }

                    break;
                default:
                    using (await PatchAsync(location, offset, next))
                    {
                    }

                    break;
            }

            offset = (int)await OffsetAsync(location);
        }

        (await SourceAsync(location)).ShouldBe(file);
        Catalog.Completed.Single().Value.Source.Sha256.ToByteArray().ShouldBe(SHA256.HashData(file));
    }

    private async Task CutAsync(string location, long offset, byte[] bytes, int sent)
    {
        try
        {
            using var answer = await PatchAsync(location, offset, new CutOff(bytes, sent));
            answer.StatusCode.ShouldNotBe(HttpStatusCode.NoContent);
        }
        catch (HttpRequestException)
        {
        }
    }
}
