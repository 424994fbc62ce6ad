using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Playback.Watch;

/// <summary>
/// The page's own files, out of this assembly. Their addresses hold a digest of them all, so that a copy never ages, a
/// new build is never mixed with an old one, and modules import each other by name.
/// </summary>
internal sealed class WatchAssets
{
    private const string Root = "/assets/playback/";

    private readonly FrozenDictionary<string, Asset> assets =
        Load().ToFrozenDictionary(a => a.Name, StringComparer.Ordinal);

    private readonly string digest;

    public WatchAssets()
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var asset in assets.Values.OrderBy(a => a.Name, StringComparer.Ordinal))
        {
            all.AppendData(Encoding.UTF8.GetBytes(asset.Name));
            all.AppendData(asset.Bytes);
        }

        digest = Convert.ToHexStringLower(all.GetHashAndReset().AsSpan(0, 8));
    }

    public static string Route => Root + "{digest}/{name}";

    /// <summary>For example /assets/playback/3f…/watch.js.</summary>
    public string UrlOf(string name) => $"{Root}{digest}/{assets[name].Name}";

    public async Task ServeAsync(HttpContext context)
    {
        var name = (string)context.Request.RouteValues["name"]!;
        var response = context.Response;
        // An old digest is an old page's: it gets nothing rather than a file that does not fit.
        if (!assets.TryGetValue(name, out var asset) || digest != (string?)context.Request.RouteValues["digest"])
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var packed = context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.Ordinal);
        var body = packed ? asset.Packed.Value : asset.Bytes;
        response.ContentType = TypeOf(name);
        response.Headers.CacheControl = "public, max-age=31536000, immutable";
        response.Headers.Vary = "Accept-Encoding";
        if (packed)
        {
            response.Headers.ContentEncoding = "gzip";
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
        foreach (var name in assembly.GetManifestResourceNames())
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            yield return new Asset(name, bytes);
        }
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        var other => throw new InvalidOperationException($"The page has no files that end in {other}."),
    };

    private static byte[] Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }

    private sealed record Asset(string Name, byte[] Bytes)
    {
        public Lazy<byte[]> Packed { get; } = new(() => Pack(Bytes));
    }
}
