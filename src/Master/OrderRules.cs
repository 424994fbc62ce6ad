using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Hexcast.Platform.Presets;

namespace Hexcast.Master;

/// <summary>What is wrong with an order is said before it costs a record.</summary>
internal static class OrderRules
{
    private const int NameLimit = 100;
    private const int TraceparentLimit = 128;

    private static readonly string[] Formats = ["hls", "dash"];

    /// <summary>With everything that the order leaves out.</summary>
    /// <exception cref="HexcastException">invalid_argument, unknown_preset.</exception>
    public static TranscodeRequest Complete(TranscodeRequest request, PresetCatalog presets)
    {
        var order = request.Clone();
        order.PresetName = order.PresetName.Length == 0 ? PresetCatalog.Default : order.PresetName;
        order.Class = ClassOf(order.Class);
        order.Tenant = TenantOf(order.Tenant);
        if (order.Preset.Length == 0)
        {
            order.Preset = presets.Text(order.PresetName);
        }
        else
        {
            CheckPreset(order.PresetName, order.Preset);
        }

        CheckPlace(order.MediaId, order.SourceKey, order.SourceNode);
        if (order.OutputFormats.FirstOrDefault(f => !Formats.Contains(f, StringComparer.Ordinal)) is { } format)
        {
            throw Invalid($"There is no output format '{format}'. There are: {string.Join(", ", Formats)}.");
        }

        if (order.OutputFormats.Count > Formats.Length || order.Traceparent.Length > TraceparentLimit)
        {
            throw Invalid(
                $"At most {Formats.Length} output formats, and a traceparent of {TraceparentLimit} characters.");
        }

        return order;
    }

    public static ScheduleTaskRequest Complete(ScheduleTaskRequest request)
    {
        var order = request.Clone();
        order.Class = ClassOf(order.Class);
        order.Tenant = TenantOf(order.Tenant);
        CheckPlace(order.MediaId, order.SourceKey, order.SourceNode);
        if (order.RequestId.Length is 0 or > NameLimit || order.Traceparent.Length > TraceparentLimit ||
            order.PresetName.Length > NameLimit)
        {
            throw Invalid(
                $"A task is asked for by a request id of 1 to {NameLimit} characters, with a preset's name of at " +
                $"most as many and a traceparent of {TraceparentLimit}.");
        }

        CheckTask(order.Task);
        return order;
    }

    private static void CheckTask(OneTask? task)
    {
        if (task is null || task.WorkCase == OneTask.WorkOneofCase.None)
        {
            throw Invalid("A task names the work that it is.");
        }

        if (task.Chunk is { } chunk && chunk.Chunk is < 0 or >= JobGraph.ChunkLimit)
        {
            throw Invalid($"A chunk is one of 0 to {JobGraph.ChunkLimit - 1}.");
        }

        if (task.Probe is { Preset.Length: > 0 } probe)
        {
            CheckPreset("", probe.Preset);
        }

        if (!double.IsFinite(task.MediaSeconds) || task.MediaSeconds < 0)
        {
            throw Invalid("The media seconds of a task are a number, and not below 0.");
        }

        if (task.Needs is { } needs && (needs.MemoryBytes < 0 || needs.ScratchBytes < 0 ||
            needs.Codecs.Count > NameLimit || needs.Codecs.Append(needs.Zone).Any(n => n.Length > NameLimit)))
        {
            throw Invalid(
                $"A task needs no less than 0 bytes, and at most {NameLimit} codecs of {NameLimit} characters.");
        }
    }

    private static void CheckPlace(string mediaId, string sourceKey, string sourceNode)
    {
        if (!MediaId.TryParse(mediaId, out _))
        {
            throw Invalid($"'{mediaId}' is no media id.");
        }

        ObjectKey.Check(sourceKey);
        if (sourceNode.Length > 0 && !NodeSettings.IsName(sourceNode))
        {
            throw Invalid($"'{sourceNode}' is no node's name.");
        }
    }

    private static void CheckPreset(string name, string text)
    {
        try
        {
            PresetCatalog.Parse(name, text);
        }
        catch (InvalidDataException bad)
        {
            throw new HexcastException(ErrorCodes.InvalidArgument, $"The preset cannot be used: {bad.Message}", bad);
        }
    }

    private static string ClassOf(string name) =>
        name.Length == 0 ? TaskClass.Default
        : Dispatcher.ClassOf(name) is { } known ? known
        : throw Invalid($"There is no class '{name}'. There are: {Dispatcher.ClassNames}.");

    private static string TenantOf(string name) =>
        name.Length == 0 ? Principal.DefaultTenant
        : name.Length <= NameLimit ? name
        : throw Invalid($"A tenant's name has at most {NameLimit} characters.");

    private static HexcastException Invalid(string words) => new(ErrorCodes.InvalidArgument, words);
}
