namespace Hexcast.Worker.Tools;

/// <summary>One run of ffmpeg or ffprobe, before it is known where the tool will find its files.</summary>
internal sealed record ToolCommand
{
    /// <summary>The kind of task that it runs for, as metrics name it.</summary>
    public string Kind { get; init; } = "check";

    /// <summary>The program's name, found in the system's own folders.</summary>
    public required string Program { get; init; }

    /// <summary>Takes the source's and the scratch folder's names as the tool sees them.</summary>
    public required Func<ToolView, IReadOnlyList<string>> Arguments { get; init; }

    /// <summary>The one file that may be read, on this machine; null when the tool reads none.</summary>
    public string? SourcePath { get; init; }

    /// <summary>
    /// The one folder that may be written, on this machine; null when the tool writes none. Whatever lies in it is
    /// untrusted: open it by <see cref="UntrustedFile"/> only, and write nothing there.
    /// </summary>
    public string? OutputFolder { get; init; }

    /// <summary>How much longer than the stall limit it may be silent at first, while it skips a part.</summary>
    public TimeSpan HeadStart { get; init; }

    /// <summary>Somebody waits for this one: it goes before the tools of tasks that nobody waits for.</summary>
    public bool Urgent { get; init; }
}

/// <summary>Names that mean the same inside and outside the sandbox only through this record.</summary>
internal sealed record ToolView(string Source, string OutputFolder)
{
    public string Output(string fileName) => OutputFolder + "/" + fileName;
}
