namespace Hexcast.Worker.Tests;

internal static class Wait
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        while (!condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }
}

internal static class Processes
{
    /// <summary>Command lines of processes that live and have the text among their arguments.</summary>
    public static IEnumerable<string> With(string text) =>
        All().Select(process => process.CommandLine)
            .Where(line => line.Contains(text, StringComparison.Ordinal));

    /// <summary>What the kernel calls the session of the process with that command line, and how nice it is; null:
    /// there is no such process.</summary>
    public static string? SessionOf(string commandLine)
    {
        var folder = All().FirstOrDefault(process => process.CommandLine.TrimEnd() == commandLine).Folder;
        return folder is null ? null : File.ReadAllText(Path.Combine(folder, "autogroup")).Trim();
    }

    private static IEnumerable<(string Folder, string CommandLine)> All()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(f => char.IsDigit(Path.GetFileName(f)[0])))
        {
            string commandLine;
            try
            {
                commandLine = File.ReadAllText(Path.Combine(folder, "cmdline")).Replace('\0', ' ');
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            yield return (folder, commandLine);
        }
    }
}
