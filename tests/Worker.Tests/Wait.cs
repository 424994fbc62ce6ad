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
    public static IEnumerable<string> With(string text)
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

            if (commandLine.Contains(text, StringComparison.Ordinal))
            {
                yield return commandLine;
            }
        }
    }
}
