using System.Diagnostics;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Identity;
using Hexcast.Platform.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Upload;

/// <summary>What all ways to send a file share: making the upload, taking a body within the limits.</summary>
internal sealed class UploadReception(
    UploadStore store, UploadOptions options, IdSource ids, TimeProvider clock, IHostApplicationLifetime lifetime)
    : IDisposable
{
    private readonly SemaphoreSlim writers = new(options.MaxWriters, options.MaxWriters);

    public UploadOptions Options => options;

    public StoredUpload Find(string mediaId) => store.Get(mediaId);

    /// <summary>The trace that the upload's first request began; null where there is no such upload.</summary>
    public string? TraceOf(string mediaId) => store.TryGet(mediaId)?.Description.Traceparent;

    public StoredUpload Create(
        Principal principal, long? length, bool resumable, UploadMetadata metadata, string metadataHeader)
    {
        if (length == 0)
        {
            throw new HexcastException(ErrorCodes.InvalidArgument, "The file is empty: there is nothing to play.");
        }

        if (length > options.MaxSizeBytes)
        {
            throw new HexcastException(
                ErrorCodes.TooLarge, $"The largest upload is {options.MaxSizeBytes} bytes (Upload:MaxSizeBytes).");
        }

        var mediaId = ids.NewMediaId().ToString();
        Activity.Current?.SetTag(SpanTags.MediaId, mediaId);
        return store.Create(new UploadDescription
        {
            MediaId = mediaId,
            Length = length,
            Resumable = resumable,
            Tenant = principal.OwnTenant,
            CreatedAt = clock.GetUtcNow(),
            Metadata = metadata,
            MetadataHeader = metadataHeader,
            Traceparent = TraceContexts.Current,
        });
    }

    /// <summary>To be taken before an upload is made: a refused client comes again and would make another.</summary>
    /// <exception cref="HexcastException">resource_exhausted</exception>
    public WriterSlot TakeWriterSlot(HttpContext context)
    {
        if (!writers.Wait(TimeSpan.Zero, context.RequestAborted))
        {
            context.Response.Headers.RetryAfter = "1";
            throw new HexcastException(
                ErrorCodes.ResourceExhausted, $"{options.MaxWriters} uploads are being written. Try again soon.");
        }

        return new WriterSlot(writers, lifetime, context);
    }

    public void Dispose() => writers.Dispose();
}
