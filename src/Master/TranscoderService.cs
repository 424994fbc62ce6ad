using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Platform.Identity;
using Hexcast.Platform.Presets;
using Hexcast.Platform.Telemetry;

namespace Hexcast.Master;

/// <summary>Orders for versions.</summary>
internal sealed class TranscoderService(Mastership mastership, PresetCatalog presets, IdSource ids)
    : Transcoder.TranscoderBase
{
    public override async Task<TranscodeResponse> Transcode(TranscodeRequest request, ServerCallContext context)
    {
        var order = OrderRules.Complete(request, presets);
        // What the job leads to belongs below this span, also when another process goes on with it.
        using var span = MasterTelemetry.Order(order);
        order.Traceparent = span?.Id ?? order.Traceparent;
        var answer = await mastership.Current.AskAsync<TranscodeResponse>(
            number => new TranscodeOrdered(number, ids.NewVersionId(), order), context.CancellationToken);
        span?.SetTag(SpanTags.JobId, answer.JobId);
        return answer;
    }
}
