using System.Diagnostics;

namespace Hexcast.App.Tests;

internal sealed record Ended(int ExitCode, string Output, string Errors);

/// <summary>The executable itself, as a person starts it.</summary>
internal static class HexcastProcess
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static Task<Ended> RunAsync(Uri? server, params string[] arguments) =>
        RunTrustingAsync(authorityFile: "", server, arguments);

    /// <param name="authorityFile">PEM, of the authority that the process trusts; empty: those of this machine.</param>
    public static async Task<Ended> RunTrustingAsync(string authorityFile, Uri? server, params string[] arguments)
    {
        var app = Path.Combine(AppContext.BaseDirectory, "hexcast.dll");
        var start = new ProcessStartInfo("dotnet", [app, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        start.Environment["HEXCAST_URL"] = server?.ToString() ?? "";
        start.Environment["SSL_CERT_FILE"] = authorityFile.Length == 0 ? null : authorityFile;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new Ended(process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }
}
