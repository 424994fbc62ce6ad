using Hexcast.Contracts;

namespace Hexcast.Worker.Attempts;

/// <summary>
/// The stable names by which an attempt's end is known, beside those of <see cref="Media.MediaErrorCode"/> for what is
/// wrong with a source and those of Platform's table for the store and the preset.
/// </summary>
internal static class FailureCodes
{
    public const string Cancelled = AttemptEnds.Cancelled;
    public const string HandedBack = AttemptEnds.HandedBack;
    public const string WorkerOverloaded = "worker_overloaded";
    public const string SandboxUnavailable = "sandbox_unavailable";
    public const string ToolMissing = "tool_missing";
    public const string ToolStalled = "tool_stalled";
    public const string ToolOutputTooLarge = "tool_output_too_large";
    public const string ToolOutputNotAFile = "tool_output_not_a_file";
    public const string ToolFailed = "tool_failed";
    public const string ScratchFull = AttemptEnds.ScratchFull;
    public const string SourceUnreadable = "source_unreadable";
    public const string ObjectMissing = "object_missing";
    public const string ObjectCorrupt = "object_corrupt";
    public const string OutputMismatch = "output_mismatch";
    public const string PartsInconsistent = "parts_inconsistent";
    public const string Unsupported = "unsupported_work";
    public const string Internal = "internal";

    public const string ScratchFullMessage =
        "The disk that holds scratch files is full. Make space under the data folder, then retry.";
}

/// <summary>
/// For what a viewer can do without: a source that a tool cannot cope with must not cost the video. What is this
/// machine's fault, or an attack, still fails the attempt.
/// </summary>
internal static class Dispensable
{
    public static bool IsOfSource(AttemptFailedException failed) => failed.Code is FailureCodes.ToolFailed
        or FailureCodes.ToolStalled or FailureCodes.ToolOutputTooLarge or FailureCodes.OutputMismatch;
}

/// <summary>Ends an attempt with a name and words; permanent means another attempt would end the same.</summary>
internal sealed class AttemptFailedException(
    string code, string message, bool permanent = false, string logTail = "", Exception? inner = null)
    : Exception(message, inner)
{
    public string Code { get; } = code;

    public bool Permanent { get; } = permanent;

    /// <summary>The last lines that the tool printed.</summary>
    public string LogTail { get; } = logTail;
}
