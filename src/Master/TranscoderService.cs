using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Identity;
using Hexcast.Platform.ObjectStore;
using Hexcast.Platform.Presets;
using Hexcast.Platform.Telemetry;

namespace Hexcast.Master;

/// <summary>Orders for versions: what is wrong with an order is said here, before it costs a record.</summary>
internal sealed class TranscoderService(Mastership mastership, PresetCatalog presets, IdSource ids)
    : Transcoder.TranscoderBase
{
    private const int TraceparentLimit = 128;

    private static readonly string[] Formats = ["hls", "dash"];

    public override async Task<TranscodeResponse> Transcode(TranscodeRequest request, ServerCallContext context)
    {
        if (!MediaId.TryParse(request.MediaId, out _))
        {
            throw Invalid($"'{request.MediaId}' is no media id.");
        }

        var order = request.Clone();
        order.PresetName = order.PresetName.Length == 0 ? PresetCatalog.Default : order.PresetName;
        order.Class = order.Class.Length == 0 ? Dispatcher.DefaultClass : order.Class;
        presets.Get(order.PresetName);
        ObjectKey.Check(order.SourceKey);
        if (!Dispatcher.IsClass(order.Class))
        {
            throw Invalid($"There is no class '{order.Class}'. There are: {Dispatcher.ClassNames}.");
        }

        if (order.OutputFormats.FirstOrDefault(f => !Formats.Contains(f, StringComparer.Ordinal)) is { } format)
        {
            throw Invalid($"There is no output format '{format}'. There are: {string.Join(", ", Formats)}.");
        }

        if (order.OutputFormats.Count > Formats.Length || order.Traceparent.Length > TraceparentLimit)
        {
            throw Invalid(
                $"At most {Formats.Length} output formats, and a traceparent of {TraceparentLimit} characters.");
        }

        // What the job leads to belongs below this span, also when another process goes on with it.
        using var span = MasterTelemetry.Order(order);
        order.Traceparent = span?.Id ?? order.Traceparent;
        var answer = await mastership.Current.AskAsync<TranscodeResponse>(
            number => new TranscodeOrdered(number, ids.NewVersionId(), order), context.CancellationToken);
        span?.SetTag(SpanTags.JobId, answer.JobId);
        return answer;
    }

    private static HexcastException Invalid(string words) => new(ErrorCodes.InvalidArgument, words);
}
