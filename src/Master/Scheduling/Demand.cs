using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>What a task asks of the node that runs it. Equal demands find the same nodes.</summary>
/// <param name="Class">It is served in.</param>
/// <param name="Codecs">Each with a space behind it, in order.</param>
/// <param name="Zone">The only one that will do; empty: any.</param>
/// <param name="IsExact">Bytes that somebody has asked for; otherwise they are estimates.</param>
internal readonly record struct Demand(
    string Class, string Codecs, long MemoryBytes, long ScratchBytes, string Zone, bool IsExact)
{
    private const long SmallToolMemoryBytes = 64 << 20;
    private const long SmallToolScratchBytes = 8 << 20;

    private static readonly TaskNeeds NoNeeds = new();

    public static Demand Of(TaskRun task)
    {
        var (job, spec) = (task.Job, task.Spec);
        var encodes = spec.Kind == TaskKind.EncodeChunk;
        var needs = job.Record.Only?.Needs ?? NoNeeds;
        var codecs = needs.Codecs.Count > 0 ? Join(needs.Codecs) : CodecsOf(spec.Kind);
        var isExact = needs.MemoryBytes > 0 || needs.ScratchBytes > 0;
        return new Demand(
            Dispatcher.EffectiveClass(task),
            codecs,
            isExact ? needs.MemoryBytes : encodes ? job.Figures.MemoryBytes : SmallToolMemoryBytes,
            isExact ? needs.ScratchBytes
                : encodes ? (long)(spec.MediaSeconds * job.Figures.ScratchBytesPerSecond) : SmallToolScratchBytes,
            needs.Zone,
            isExact);
    }

    /// <summary>What every job of that class will ask for: its chunks and its sound.</summary>
    public static Demand OfJob(string jobClass) => new(
        jobClass, CodecsOf(TaskKind.EncodeAudio) + CodecsOf(TaskKind.EncodeChunk), 0, 0, "", IsExact: false);

    public IEnumerable<string> EachCodec => Codecs.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string Join(IEnumerable<string> codecs) =>
        string.Concat(codecs.Order(StringComparer.Ordinal).Select(codec => codec + " "));

    // All presets make these.
    private static string CodecsOf(TaskKind kind) => kind switch
    {
        TaskKind.EncodeChunk => "h264 ",
        TaskKind.EncodeAudio => "aac ",
        _ => "",
    };
}
