using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using Hexcast.Dashboard.Rendering;
using Hexcast.Dashboard.Tests.Support;

namespace Hexcast.Dashboard.Tests;

/// <summary>The pages' own files: addresses that never age, packed, and small.</summary>
public sealed partial class AssetTests : IAsyncLifetime
{
    private const int ScriptBudgetBytes = 150_000;

    /// <summary>Loads only where something can be played.</summary>
    private const string Player = "lib/shaka-player.js";

    private DashboardHost host = null!;

    private PageAssets Assets => host.Get<PageAssets>();

    public async ValueTask InitializeAsync() => host = await DashboardHost.StartAsync();

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Every_file_is_there_packed_and_plain_and_never_ages()
    {
        foreach (var name in Assets.Names)
        {
            using var plain = await host.Http.GetAsync(Assets.UrlOf(name));
            plain.StatusCode.ShouldBe(HttpStatusCode.OK, name);
            plain.Headers.CacheControl!.ToString().ShouldBe("public, max-age=31536000, immutable");
            plain.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
            var bytes = await plain.Content.ReadAsByteArrayAsync();
            bytes.Length.ShouldBeGreaterThan(0);
            using var request = new HttpRequestMessage(HttpMethod.Get, Assets.UrlOf(name));
            request.Headers.Add("Accept-Encoding", "gzip, br");
            using var packed = await host.Http.SendAsync(request);
            if (Path.GetExtension(name) is ".woff2" or ".ico")
            {
                packed.Content.Headers.ContentEncoding.ShouldBeEmpty();
                continue;
            }

            packed.Content.Headers.ContentEncoding.ShouldBe(["gzip"]);
            await using var body = await packed.Content.ReadAsStreamAsync();
            await using var unpacked = new GZipStream(body, CompressionMode.Decompress);
            using var copy = new MemoryStream();
            await unpacked.CopyToAsync(copy);
            copy.ToArray().ShouldBe(bytes);
        }
    }

    [Theory]
    [InlineData("/assets/0000000000000000/library.js")]
    [InlineData("/assets/x/..%2f..%2fkeys%2fplayback.json")]
    [InlineData("/assets/x/")]
    public async Task What_is_not_there_is_not_found(string path)
    {
        using var answer = await host.Http.GetAsync(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task No_page_loads_more_than_150_kB_of_script_before_the_player_is_needed()
    {
        foreach (var page in Pages.All)
        {
            var html = await host.PageAsync(page);
            var folder = html.Split("/assets/")[1].Split('/')[0];
            var scripts = new Queue<string>(Script().Matches(html).Select(m => m.Groups["name"].Value));
            var loaded = new HashSet<string>(StringComparer.Ordinal);
            var size = 0;
            while (scripts.TryDequeue(out var script))
            {
                if (!loaded.Add(script))
                {
                    continue;
                }

                script.ShouldNotBe(Player, page);
                var text = await host.PageAsync($"/assets/{folder}/{script}");
                size += text.Length;
                foreach (Match import in Import().Matches(text))
                {
                    scripts.Enqueue(import.Groups["name"].Value);
                }
            }

            loaded.ShouldNotBeEmpty(page);
            size.ShouldBeLessThan(ScriptBudgetBytes, page);
        }
    }

    [GeneratedRegex("<script src=\"/assets/[0-9a-f]{16}/(?<name>[^\"]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Script();

    [GeneratedRegex("""from '\./(?<name>[^']+)'""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Import();
}
