using System.Diagnostics;
using Grpc.Core;
using Hexcast.Catalog.Versions;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Hexcast.Platform.Presets;
using Hexcast.Platform.Telemetry;

namespace Hexcast.Catalog.Delivery;

/// <summary>Who gets what: the master each new media, and word of each deleted one, whose objects then go.</summary>
internal sealed class OutboxReceivers(
    CatalogStore store, Transcoder.TranscoderClient transcoder, Scheduler.SchedulerClient scheduler,
    IObjectStore objects, PresetCatalog presets, NodeSettings node, TimeProvider clock)
{
    private static readonly TimeSpan TranscodeLimit = TimeSpan.FromSeconds(10);

    // The master waits for the workers that still run one of the media's tasks.
    private static readonly TimeSpan ForgetLimit = TimeSpan.FromSeconds(30);

    /// <exception cref="RpcException">The receiver did not take it.</exception>
    public Task DeliverAsync(OutboxRow row, CancellationToken cancel) => row.Kind switch
    {
        OutboxKinds.Uploaded => OrderAsync(row, cancel),
        OutboxKinds.Deleted => ClearAsync(row, cancel),
        _ => throw new InvalidOperationException($"The outbox holds a '{row.Kind}'."),
    };

    private async Task OrderAsync(OutboxRow row, CancellationToken cancel)
    {
        if (store.Find(row.MediaId) is not { } media)
        {
            await FinishAsync(row, _ => { }, cancel);
            return;
        }

        using var span = CatalogTelemetry.Deliver(row, media.Traceparent);
        var order = new TranscodeRequest
        {
            MediaId = media.MediaId,
            PresetName = media.Preset,
            OutputFormats = { "hls", "dash" },
            SourceKey = media.SourceKey,
            Class = media.Class,
            Traceparent = span?.Id ?? media.Traceparent,
            Tenant = media.Tenant,
            Preset = presets.Has(media.Preset) ? presets.Text(media.Preset) : "",
            SourceNode = node.NodeId == NodeSettings.Alone ? "" : node.NodeId,
        };
        try
        {
            var answer = await transcoder.TranscodeAsync(
                order, deadline: (clock.GetUtcNow() + TranscodeLimit).UtcDateTime, cancellationToken: cancel);
            span?.SetTag(SpanTags.JobId, answer.JobId);
            await FinishAsync(row, write => Begin(write, row.MediaId, answer.JobId), cancel);
        }
        catch (RpcException refusal) when (refusal.StatusCode is StatusCode.InvalidArgument or StatusCode.NotFound
            or StatusCode.FailedPrecondition or StatusCode.OutOfRange)
        {
            // The same order will not be taken another time either.
            var known = GrpcErrors.Unwrap(refusal);
            span?.SetTag(SpanTags.ErrorType, known.Code).SetStatus(ActivityStatusCode.Error);
            await FinishAsync(row, write => Refuse(write, row.MediaId, known), cancel);
        }
    }

    private async Task ClearAsync(OutboxRow row, CancellationToken cancel)
    {
        await scheduler.ForgetMediaAsync(
            new ForgetMediaRequest { MediaId = row.MediaId },
            deadline: (clock.GetUtcNow() + ForgetLimit).UtcDateTime,
            cancellationToken: cancel);
        await objects.DeletePrefixAsync(ObjectKey.MediaPrefix(row.MediaId), cancel);
        await objects.DeletePrefixAsync(ObjectKey.ImagesPrefix(row.MediaId), cancel);
        await objects.DeleteAsync(ObjectKey.Source(row.MediaId), cancel);
        await FinishAsync(row, _ => { }, cancel);
    }

    private async Task FinishAsync(OutboxRow row, Action<CatalogTransaction> record, CancellationToken cancel) =>
        await store.WriteAsync(
            write =>
            {
                record(write);
                OutboxTable.Remove(write, row);
                return true;
            },
            cancel);

    private static void Begin(CatalogTransaction write, string mediaId, string jobId)
    {
        if (write.Find(mediaId) is not { } media)
        {
            return;
        }

        VersionTable.Add(write, jobId, mediaId);
        write.Update(media with
        {
            JobId = jobId,
            State = media.Version is null ? MediaState.Processing : media.State,
            Error = null,
        });
    }

    private static void Refuse(CatalogTransaction write, string mediaId, HexcastException refusal)
    {
        if (write.Find(mediaId) is { } media)
        {
            write.Update(media with
            {
                State = media.Version is null ? MediaState.Failed : media.State,
                Error = new MediaFault(refusal.Code, refusal.Message, ""),
            });
        }
    }
}
