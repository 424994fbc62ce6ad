using System.Diagnostics;

namespace Hexcast.Tidy;

/// <summary>What <c>dotnet format</c> would change: by folder, without loading a project.</summary>
public sealed class FormatTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task Every_file_is_formatted_as_editorconfig_says()
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [
                "format", "whitespace", Repository.Root, "--folder", "--verify-no-changes",
                "--exclude", Path.Combine(Repository.Root, "artifacts"),
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        using var format = Process.Start(start)!;
        try
        {
            var output = format.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = format.StandardError.ReadToEndAsync(limit.Token);
            await format.WaitForExitAsync(limit.Token);

            var said = $"{await output}{await errors}";
            Assert.True(
                format.ExitCode == 0, $"Run: dotnet format whitespace . --folder --exclude artifacts\n{said}");
        }
        finally
        {
            if (!format.HasExited)
            {
                format.Kill(entireProcessTree: true);
            }
        }
    }
}
