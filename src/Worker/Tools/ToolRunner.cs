using System.ComponentModel;
using System.Diagnostics;
using Hexcast.Worker.Attempts;

namespace Hexcast.Worker.Tools;

/// <summary>
/// Runs a tool to its end: killed with all its children when the attempt is cancelled, when it stalls, or when it
/// prints more than it may. When this answers or throws, no process of the run is left.
/// </summary>
internal sealed class ToolRunner(Sandbox sandbox, ToolStarter starter, WorkerOptions options, TimeProvider clock)
{
    /// <returns>The last of standard error of a tool that exited with 0.</returns>
    /// <exception cref="AttemptFailedException">It could not be started, failed, stalled or said too much.</exception>
    public async Task<string> RunAsync(ToolCommand tool, OutputReader read, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        using var span = WorkerTelemetry.Tool(tool, clock);
        using var process = await StartAsync(tool);
        process.StandardInput.Close();
        var errors = TextTail.ReadAsync(process.StandardError.BaseStream);
        var watch = new StallWatch(clock, options.StallLimit, tool.HeadStart);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var stalled = watch.WaitForStallAsync(stop.Token);
        var ended = Task.WhenAll(ReadOutputAsync(), process.WaitForExitAsync(stop.Token));

        await Task.WhenAny(ended, stalled);
        // A cancelled watch has seen nothing.
        var stall = stalled.IsCompletedSuccessfully && !ended.IsCompleted;
        await stop.CancelAsync();
        Kill(process);
        await process.WaitForExitAsync(CancellationToken.None);
        await Task.WhenAll(errors, stalled, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stall)
        {
            throw new AttemptFailedException(
                FailureCodes.ToolStalled,
                $"{tool.Program} made no headway for {watch.Limit.TotalSeconds:0.#} s and was killed.",
                logTail: sandbox.ForPeople(tool, await errors));
        }

        await ended;
        span.Exited(process.ExitCode, EndedTools.TakeProcessorTime());
        var said = sandbox.ForPeople(tool, await errors);
        // ffmpeg 5.1 ends with 0 when only the last of its writes failed.
        return process.ExitCode == 0 && !ToolFault.SaysFull(said)
            ? said
            : throw ToolFault.Explain(tool.Program, process.ExitCode, said);

        async Task ReadOutputAsync()
        {
            try
            {
                await read(process.StandardOutput.BaseStream, watch, stop.Token);
            }
            catch
            {
                // Nobody reads on: the tool would wait for ever on a full pipe.
                await stop.CancelAsync();
                throw;
            }
        }
    }

    private async Task<Process> StartAsync(ToolCommand tool)
    {
        var (program, arguments) = sandbox.CommandLine(tool);
        var info = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = tool.OutputFolder ?? "/",
        };
        info.Environment.Clear();
        info.Environment["PATH"] = Sandbox.SystemPath;
        info.Environment["LC_ALL"] = "C.UTF-8";
        try
        {
            return await starter.StartAsync(info);
        }
        catch (Win32Exception missing)
        {
            throw new AttemptFailedException(
                FailureCodes.ToolMissing, $"'{program}' cannot be started: {missing.Message}.", inner: missing);
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
        catch (InvalidOperationException)
        {
            // It ended between the question and the signal.
        }
    }
}
