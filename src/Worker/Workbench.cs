using Hexcast.Platform.Errors;
using Hexcast.Worker.Attempts;
using Hexcast.Worker.Tools;

namespace Hexcast.Worker;

/// <summary>What every attempt works with.</summary>
internal sealed record Workbench(ScratchFolder Scratch, ToolRunner Tools, StoredObjects Objects, TimeProvider Clock)
{
    /// <summary>Proves before the first task that the tools run where they will run.</summary>
    /// <exception cref="HexcastException">Says what is missing and what to do.</exception>
    public async Task CheckAsync(CancellationToken cancel)
    {
        foreach (var program in (string[])["ffmpeg", "ffprobe"])
        {
            try
            {
                await Tools.RunAsync(
                    new ToolCommand
                    {
                        Program = program,
                        Arguments = _ => ["-hide_banner", "-loglevel", "error", "-version"],
                    },
                    ToolOutput.Ignore, cancel);
            }
            catch (AttemptFailedException failed)
            {
                var code = failed.Code == FailureCodes.SandboxUnavailable
                    ? ErrorCodes.SandboxUnavailable
                    : ErrorCodes.ToolMissing;
                throw new HexcastException(code, failed.Message, failed);
            }
        }
    }
}
