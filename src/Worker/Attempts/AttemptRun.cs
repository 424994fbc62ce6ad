using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Hexcast.Media.Manifests;
using Hexcast.Worker.Tools;

namespace Hexcast.Worker.Attempts;

/// <summary>What one attempt is given: its task, a scratch folder, tools, objects, an ear for progress.</summary>
/// <param name="source">The source on this machine; null for what does not read it.</param>
internal sealed class AttemptRun(
    TaskAssignment task,
    AttemptScratch scratch,
    Workbench bench,
    HeldSource? source,
    Action<double, double> progress)
{
    private readonly long startedAt = bench.Clock.GetTimestamp();

    public TaskAssignment Task { get; } = task;

    public AttemptScratch Scratch { get; } = scratch;

    public ToolRunner Tools { get; } = bench.Tools;

    public StoredObjects Objects { get; } = bench.Objects;

    public TimeProvider Clock { get; } = bench.Clock;

    /// <summary>The source on this machine.</summary>
    public string SourcePath => source?.Path
        ?? throw new InvalidOperationException($"{Task.WorkCase} was not given the source.");

    public double WallSeconds => Clock.GetElapsedTime(startedAt).TotalSeconds;

    /// <summary>The key of an object of this attempt.</summary>
    public string Key(string name) => Task.Prefix() + name;

    /// <summary>Stores a small file and describes it for an index.</summary>
    public async Task<StoredFile> StoreAsync(string name, byte[] bytes, CancellationToken cancel)
    {
        var stored = await Objects.WriteAsync(Key(name), bytes, cancel);
        return new StoredFile
        {
            Name = name, Length = stored.Length, Sha256 = Convert.ToHexStringLower(stored.Sha256.Span),
        };
    }

    public void Tell(double fraction, double mediaSeconds) =>
        progress(Math.Clamp(fraction, 0, 1), mediaSeconds / Math.Max(WallSeconds, 1e-3));

    /// <summary>A tool that reads the source and says what it finds.</summary>
    public ToolCommand Reading(string program, Func<ToolView, IReadOnlyList<string>> arguments) => new()
    {
        Program = program,
        Kind = WorkerTelemetry.Kind(Task),
        Arguments = arguments,
        SourcePath = SourcePath,
        Urgent = Task.Class == TaskClass.LowLatency,
    };

    /// <summary>A tool that makes files of the source.</summary>
    public ToolCommand Making(string program, Func<ToolView, IReadOnlyList<string>> arguments) =>
        Reading(program, arguments) with { OutputFolder = Scratch.OutputFolder };
}
