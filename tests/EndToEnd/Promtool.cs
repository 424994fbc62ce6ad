using System.Diagnostics;

namespace Hexcast.EndToEnd;

/// <summary>Prometheus's own judgement.</summary>
internal static class Promtool
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <returns>Everything that it said; the exit code is checked.</returns>
    public static async Task<string> RunAsync(string? input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("promtool", arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var limit = new CancellationTokenSource(Limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }

        process.StandardInput.Close();
        await process.WaitForExitAsync(limit.Token);
        var said = await output + await errors;
        process.ExitCode.ShouldBe(0, said);
        return said;
    }
}
