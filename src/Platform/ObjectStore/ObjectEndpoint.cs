using System.Security.Cryptography;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Hexcast.Platform.ObjectStore;

/// <summary>
/// This node's objects for the other nodes of its cluster, on the port that only they reach:
/// <code>
///   HEAD, GET /objects/KEY       with ranges (RFC 9110)          DELETE /objects/KEY, /objects/PREFIX/
///   PUT       /objects/KEY       with Content-Length and         GET    /objects?prefix=PREFIX/
///             Content-Digest: sha-256 (RFC 9530)                        a line each: length, key
/// </code>
/// What is put is there once all of it has come and has that hash, and then lasts; otherwise nothing is.
/// </summary>
internal sealed class ObjectEndpoint(IObjectStore store)
{
    public const string Path = "/objects";
    public const string DigestHeader = "Content-Digest";

    private const string DigestStart = "sha-256=:", DigestEnd = ":";

    /// <summary>Objects that are read or written at once.</summary>
    private const int RunningLimit = 512;

    private const long ObjectLimitBytes = 1L << 40;
    private const int BufferBytes = 256 * 1024;

    private int running;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var objects = new ObjectEndpoint(endpoints.ServiceProvider.GetRequiredService<IObjectStore>());
        endpoints.MapGet($"{Path}/{{**key}}", context => objects.BoundedAsync(context, objects.ReadAsync));
        endpoints.MapMethods(
            $"{Path}/{{**key}}", [HttpMethods.Head], context => objects.BoundedAsync(context, objects.ReadAsync));
        endpoints.MapPut($"{Path}/{{**key}}", context => objects.BoundedAsync(context, objects.WriteAsync));
        endpoints.MapDelete($"{Path}/{{**key}}", objects.DeleteAsync);
        endpoints.MapGet(Path, context => objects.BoundedAsync(context, objects.ListAsync));
    }

    public static string DigestOf(ReadOnlySpan<byte> sha256) =>
        $"{DigestStart}{Convert.ToBase64String(sha256)}{DigestEnd}";

    private async Task BoundedAsync(HttpContext context, RequestDelegate run)
    {
        try
        {
            if (Interlocked.Increment(ref running) > RunningLimit)
            {
                throw new HexcastException(
                    ErrorCodes.Unavailable, $"{RunningLimit} objects are read and written here already. Ask again.");
            }

            await run(context);
        }
        finally
        {
            Interlocked.Decrement(ref running);
        }
    }

    private async Task ReadAsync(HttpContext context)
    {
        var (key, cancel) = (KeyOf(context), context.RequestAborted);
        await using var content = await store.OpenReadAsync(key, 0, cancel) ?? throw new HexcastException(
            ErrorCodes.NotFound, $"There is no object {key}.");
        var length = content.Length;
        var (from, to) = (0L, length - 1);
        var response = context.Response;
        response.Headers.AcceptRanges = "bytes";
        if (context.Request.GetTypedHeaders().Range is { } range)
        {
            if (range.Unit != "bytes" || range.Ranges.Count != 1 || !TryRange(range.Ranges.Single(), length, out from,
                out to))
            {
                response.Headers.ContentRange = $"bytes */{length}";
                response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
                return;
            }

            response.Headers.ContentRange = $"bytes {from}-{to}/{length}";
            response.StatusCode = StatusCodes.Status206PartialContent;
        }

        response.ContentType = "application/octet-stream";
        response.ContentLength = to - from + 1;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        content.Position = from;
        var buffer = new byte[BufferBytes];
        for (var left = to - from + 1; left > 0;)
        {
            var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancel);
            if (read == 0)
            {
                throw new IOException($"{key} has become shorter");
            }

            await response.Body.WriteAsync(buffer.AsMemory(0, read), cancel);
            left -= read;
        }
    }

    private async Task WriteAsync(HttpContext context)
    {
        var (key, request, cancel) = (KeyOf(context), context.Request, context.RequestAborted);
        if (request.ContentLength is not (>= 0 and <= ObjectLimitBytes) || DigestIn(request) is not { } digest)
        {
            throw new HexcastException(
                ErrorCodes.InvalidArgument,
                $"An object comes with Content-Length, to {ObjectLimitBytes}, and Content-Digest: sha-256=:…:");
        }

        LiftLimits(context);
        await using var writer = await store.CreateAsync(key, cancel);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferBytes];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancel)) > 0)
        {
            hash.AppendData(buffer, 0, read);
            await writer.WriteAsync(buffer.AsMemory(0, read), cancel);
        }

        // Before it gets its name: what is there under a key is whole.
        if (writer.Length != request.ContentLength || !hash.GetHashAndReset().AsSpan().SequenceEqual(digest))
        {
            throw new HexcastException(
                ErrorCodes.UploadChecksumMismatch, $"What came for {key} is not what its digest says. Send it again.");
        }

        await writer.CommitAsync(cancel);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task DeleteAsync(HttpContext context)
    {
        var key = context.GetRouteValue("key") as string ?? "";
        if (key.EndsWith('/'))
        {
            ObjectKey.Check(key[..^1]);
            await store.DeletePrefixAsync(key, context.RequestAborted);
        }
        else
        {
            ObjectKey.Check(key);
            await store.DeleteAsync(key, context.RequestAborted);
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task ListAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain";
        await using var lines = new StreamWriter(context.Response.Body, leaveOpen: true);
        await foreach (var info in store.ListAsync(context.Request.Query["prefix"].ToString(), context.RequestAborted))
        {
            await lines.WriteAsync($"{info.Length} {info.Key}\n".AsMemory(), context.RequestAborted);
        }
    }

    private static string KeyOf(HttpContext context)
    {
        var key = context.GetRouteValue("key") as string ?? "";
        ObjectKey.Check(key);
        return key;
    }

    private static bool TryRange(RangeItemHeaderValue range, long length, out long from, out long to)
    {
        from = range.From ?? Math.Max(0, length - range.To.GetValueOrDefault());
        to = range.From is null ? length - 1 : Math.Min(range.To ?? long.MaxValue, length - 1);
        return from <= to;
    }

    private static byte[]? DigestIn(HttpRequest request)
    {
        var text = request.Headers[DigestHeader].ToString();
        var digest = new byte[SHA256.HashSizeInBytes];
        return text.StartsWith(DigestStart, StringComparison.Ordinal)
            && text.EndsWith(DigestEnd, StringComparison.Ordinal) && text.Length > DigestStart.Length
            && Convert.TryFromBase64String(text[DigestStart.Length..^1], digest, out var bytes)
            && bytes == digest.Length ? digest : null;
    }

    // An object is as large and comes as slowly as it does; its limits are above.
    private static void LiftLimits(HttpContext context)
    {
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }
    }
}
