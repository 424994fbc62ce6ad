using System.Diagnostics;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
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

    public StoredUpload Create(long? length, bool resumable, UploadMetadata metadata, string metadataHeader)
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

        return store.Create(new UploadDescription
        {
            MediaId = ids.NewMediaId().ToString(),
            Length = length,
            Resumable = resumable,
            CreatedAt = clock.GetUtcNow(),
            Metadata = metadata,
            MetadataHeader = metadataHeader,
            Traceparent = Activity.Current is { IdFormat: ActivityIdFormat.W3C } trace ? trace.Id ?? "" : "",
        });
    }

    public async Task<long> TakeBodyAsync(StoredUpload upload, long offset, HttpContext context)
    {
        if (!await writers.WaitAsync(TimeSpan.Zero, context.RequestAborted))
        {
            context.Response.Headers.RetryAfter = "1";
            throw new HexcastException(
                ErrorCodes.ResourceExhausted, $"{options.MaxWriters} uploads are being written. Try again soon.");
        }

        try
        {
            LiftBodyLimits(context);
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(
                context.RequestAborted, lifetime.ApplicationStopping);
            return await upload.WriteAsync(
                offset, context.Request.ContentLength, context.Request.Body, ends.Token);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw new HexcastException(
                ErrorCodes.Unavailable, "The server is stopping. Once it is back, go on at HEAD's offset.");
        }
        finally
        {
            writers.Release();
        }
    }

    public void Dispose() => writers.Dispose();

    // The upload's own limits stand in: its length, and the idle time-out.
    private static void LiftBodyLimits(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }
}
