using Hexcast.Worker.Attempts;

namespace Hexcast.Worker.Tools;

/// <summary>Reads from exit code and last words what kind of failure a tool had.</summary>
internal static class ToolFault
{
    // The convention that nice, prlimit, setsid, sh and setpriv keep: the program was not found.
    private const int NotFoundExitCode = 127;

    // 128 + SIGXFSZ: the file-size limit.
    private const int FileTooLargeExitCode = 153;

    private static readonly string[] FullWords =
        ["No space left on device", "Disk quota exceeded", "File too large"];

    public static AttemptFailedException Explain(string program, int exitCode, string errors)
    {
        var (code, message) = Classify(program, exitCode, errors);
        return new AttemptFailedException(code, message, logTail: errors);
    }

    /// <summary>Whether a write failed for want of space, in the C library's words.</summary>
    public static bool SaysFull(string errors) =>
        FullWords.Any(words => errors.Contains(words, StringComparison.Ordinal));

    private static (string Code, string Message) Classify(string program, int exitCode, string errors)
    {
        var noSandbox = Says("exec: bwrap: not found");
        if (Says("bwrap: execvp") || (exitCode == NotFoundExitCode && !noSandbox))
        {
            return (FailureCodes.ToolMissing, $"{program} is not installed. Install Debian's package ffmpeg.");
        }

        if (noSandbox || errors.StartsWith("bwrap: ", StringComparison.Ordinal))
        {
            return (FailureCodes.SandboxUnavailable,
                "bubblewrap cannot lock the tools in. Install Debian's package bubblewrap; inside a container, allow " +
                "user namespaces. Only where every source is trusted: set Worker:Sandbox to off. " +
                $"It said: {LastLine(errors)}");
        }

        if (SaysFull(errors))
        {
            return (FailureCodes.ScratchFull, FailureCodes.ScratchFullMessage);
        }

        if (exitCode == FileTooLargeExitCode)
        {
            return (FailureCodes.ToolOutputTooLarge,
                $"{program} wrote a file over {Sandbox.FileSizeLimitBytes} bytes.");
        }

        return (FailureCodes.ToolFailed, $"{program} ended with {exitCode}: {LastLine(errors)}");

        bool Says(string words) => errors.Contains(words, StringComparison.Ordinal);
    }

    public static string LastLine(string text)
    {
        const int limitChars = 300;
        var line = text.TrimEnd().Split('\n')[^1].Trim();
        return line.Length == 0 ? "(nothing)" : line.Length <= limitChars ? line : line[..limitChars] + "…";
    }
}
