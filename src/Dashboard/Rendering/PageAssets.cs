using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Hexcast.Platform.Access;
using Hexcast.Platform.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Dashboard.Rendering;

/// <summary>
/// The pages' own files, out of this assembly. Their addresses hold a digest of them all, so that a copy never ages, a
/// new build is never mixed with an old one, and modules and style sheets name each other by relative paths.
/// </summary>
internal sealed class PageAssets
{
    private const string Prefix = "assets/", Favicon = "favicon.ico";
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    private readonly FrozenDictionary<string, Asset> assets =
        Load().ToFrozenDictionary(a => a.Name, StringComparer.Ordinal);

    private readonly string digest;

    public PageAssets()
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var asset in assets.Values.OrderBy(a => a.Name, StringComparer.Ordinal))
        {
            all.AppendData(Encoding.UTF8.GetBytes(asset.Name));
            all.AppendData(asset.Bytes);
        }

        digest = Convert.ToHexStringLower(all.GetHashAndReset().AsSpan(0, 8));
    }

    public IEnumerable<string> Names => assets.Keys;

    /// <summary>For example /assets/3f…/library.js.</summary>
    public string UrlOf(string name) => $"/assets/{digest}/{assets[name].Name}";

    public void Map(IEndpointRouteBuilder http)
    {
        http.MapMethods("/assets/{digest}/{**name}", Methods, ServeAsync)
            .AllowAnyone().Untraced().ExcludeFromDescription();
        // Asked for under this very name, whatever a page says.
        http.MapMethods("/" + Favicon, Methods, context => SendAsync(context, assets[Favicon], "public, max-age=86400"))
            .AllowAnyone().Untraced().ExcludeFromDescription();
    }

    private Task ServeAsync(HttpContext context)
    {
        var name = (string?)context.Request.RouteValues["name"] ?? "";
        // An old digest is an old page's: it gets nothing rather than a file that does not fit.
        if (!assets.TryGetValue(name, out var asset) || digest != (string?)context.Request.RouteValues["digest"])
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        return SendAsync(context, asset, "public, max-age=31536000, immutable");
    }

    private static async Task SendAsync(HttpContext context, Asset asset, string keep)
    {
        var response = context.Response;
        response.ContentType = asset.Type;
        response.Headers.CacheControl = keep;
        var body = asset.Bytes;
        if (asset.Packs)
        {
            response.Headers.Vary = "Accept-Encoding";
            if (context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.Ordinal))
            {
                response.Headers.ContentEncoding = "gzip";
                body = asset.Packed;
            }
        }

        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.BodyWriter.WriteAsync(body, context.RequestAborted);
        }
    }

    private static IEnumerable<Asset> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames().Where(IsAsset))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            yield return new Asset(name[Prefix.Length..], bytes);
        }

        static bool IsAsset(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);
    }

    private sealed class Asset(string name, byte[] bytes)
    {
        private readonly Lazy<byte[]> packed = new(() => Pack(bytes));

        public string Name => name;

        public byte[] Bytes => bytes;

        public byte[] Packed => packed.Value;

        public string Type { get; } = Path.GetExtension(name) switch
        {
            ".js" => "text/javascript; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".woff2" => "font/woff2",
            ".ico" => "image/x-icon",
            var other => throw new InvalidOperationException($"The pages have no files that end in {other}."),
        };

        /// <summary>A font and the small icon are sent as they are.</summary>
        public bool Packs => Path.GetExtension(name) is not (".woff2" or ".ico");

        private static byte[] Pack(byte[] bytes)
        {
            using var bucket = new MemoryStream();
            using (var gzip = new GZipStream(bucket, CompressionLevel.Optimal))
            {
                gzip.Write(bytes);
            }

            return bucket.ToArray();
        }
    }
}
