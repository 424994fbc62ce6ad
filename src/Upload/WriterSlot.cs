using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Upload;

/// <summary>One of Upload:MaxWriters requests that may write; another may once it is disposed.</summary>
internal sealed class WriterSlot(SemaphoreSlim writers, IHostApplicationLifetime lifetime, HttpContext context)
    : IDisposable
{
    /// <returns>The durable offset.</returns>
    public async Task<long> TakeBodyAsync(StoredUpload upload, long offset)
    {
        try
        {
            LiftBodyLimits();
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
    }

    public void Dispose() => writers.Release();

    // The upload's own limits stand in: its length, and the idle time-out.
    private void LiftBodyLimits()
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
