using Hexcast.Platform.Errors;
using Hexcast.Platform.ObjectStore;
using Hexcast.Playback.Versions;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Playback.Segments;

/// <summary>Sends a run of an object's bytes, or the part of it that the request asks for.</summary>
internal sealed class ObjectResponse(IObjectStore store)
{
    /// <summary>One read of a store that is elsewhere.</summary>
    private const int CopyBytes = 128 * 1024;

    public async Task SendAsync(HttpContext context, ObjectSlice slice, string contentType, string cacheControl)
    {
        var response = context.Response;
        var range = ByteRange.For(context.Request, slice.ETag, slice.Length);
        response.Headers.ETag = slice.ETag;
        response.Headers.AcceptRanges = "bytes";
        response.Headers.CacheControl = cacheControl;
        response.StatusCode = range.Status;
        switch (range.Status)
        {
            case StatusCodes.Status206PartialContent:
                response.Headers.ContentRange = $"bytes {range.From}-{range.From + range.Count - 1}/{slice.Length}";
                break;
            case StatusCodes.Status416RangeNotSatisfiable:
                response.Headers.ContentRange = $"bytes */{slice.Length}";
                response.Headers.CacheControl = "no-store";
                return;
            case StatusCodes.Status304NotModified or StatusCodes.Status412PreconditionFailed:
                return;
        }

        response.ContentType = contentType;
        response.ContentLength = range.Count;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await SendBodyAsync(context, slice.Key, slice.Offset + range.From, range.Count);
            PlaybackTelemetry.NoteSent(range.Count);
        }
    }

    private async Task SendBodyAsync(HttpContext context, string key, long offset, long count)
    {
        var cancel = context.RequestAborted;
        await using var source = await store.OpenReadAsync(key, offset, cancel) ?? throw new HexcastException(
            ErrorCodes.NotFound, "The media's bytes are gone; it was deleted a moment ago.");
        var output = context.Response.BodyWriter;
        while (count > 0)
        {
            var memory = output.GetMemory((int)Math.Min(CopyBytes, count));
            var read = await source.ReadAsync(memory[..(int)Math.Min(memory.Length, count)], cancel);
            if (read == 0)
            {
                throw new InvalidDataException($"Object {key} is shorter than its index says.");
            }

            output.Advance(read);
            count -= read;
            await output.FlushAsync(cancel);
        }
    }
}
