using System.Diagnostics;

namespace Hexcast.Media.Tests.Support;

/// <summary>Runs Debian's ffmpeg and ffprobe.</summary>
internal static class Tool
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    internal sealed record Result(int ExitCode, string Output, string Errors);

    public static async Task<Result> Try(string program, IEnumerable<string> arguments, string? folder = null)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                RedirectStandardInput = true,
                WorkingDirectory = folder ?? "",
            },
        };
        process.Start();
        process.StandardInput.Close();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return new Result(process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    public static async Task<string> Run(string program, IEnumerable<string> arguments, string? folder = null)
    {
        var list = arguments.ToList();
        var result = await Try(program, list, folder);
        result.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', list)}\n{result.Errors}");
        return result.Output;
    }
}
