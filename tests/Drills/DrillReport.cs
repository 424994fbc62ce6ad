using System.Text;

namespace Hexcast.Drills;

/// <summary>What a drill found, printed as it goes and kept as docs/drills/NAME.md with the commit it ran on.</summary>
internal sealed class DrillReport(string name)
{
    private static Task<string>? commit;

    private readonly StringBuilder lines = new();

    public void Add(string line)
    {
        Console.WriteLine(line);
        lines.AppendLine(line);
    }

    public async Task<string> SaveAsync()
    {
        var root = Root();
        var folder = Directory.CreateDirectory(Path.Combine(root, "docs", "drills"));
        var path = Path.Combine(folder.FullName, $"{name}.md");
        var day = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd");
        await File.WriteAllTextAsync(
            path, $"# Drill: {name}\n\nRun by `./hexcast drill {name}` on {day} at {await CommitAsync()}.\n\n{lines}");
        return path;
    }

    /// <summary>The commit whose sources run, and that they are not quite its own where something was changed. Asked
    /// for when a run begins: hours later the checkout may be at another one.</summary>
    public static Task<string> CommitAsync() => commit ??= FindCommitAsync();

    public static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Hexcast.slnx")))
        {
            at = at.Parent ?? throw new InvalidOperationException("run it from a checkout");
        }

        return at.FullName;
    }

    private static async Task<string> FindCommitAsync()
    {
        var (head, _) = await Clips.RunAsync("git", ["-C", Root(), "rev-parse", "--short", "HEAD"]);
        var (changes, _) = await Clips.RunAsync(
            "git", ["-C", Root(), "status", "--porcelain", "--", "src", "proto", "presets", "tests", "bench"]);
        return changes.Length == 0 ? head.Trim() : $"{head.Trim()} with changes";
    }
}
