using System.Text;

namespace Hexcast.Drills;

/// <summary>What a drill found, printed as it goes and kept as docs/drills/NAME.md with the commit it ran on.</summary>
internal sealed class DrillReport(string name)
{
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

    /// <summary>The commit whose sources have run, and that they are not quite its own where something was changed.
    /// </summary>
    public static async Task<string> CommitAsync()
    {
        var (commit, _) = await Clips.RunAsync("git", ["-C", Root(), "rev-parse", "--short", "HEAD"]);
        var (changes, _) = await Clips.RunAsync(
            "git", ["-C", Root(), "status", "--porcelain", "--", "src", "proto", "presets", "tests", "bench"]);
        return changes.Length == 0 ? commit.Trim() : $"{commit.Trim()} with changes";
    }

    public static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Hexcast.slnx")))
        {
            at = at.Parent ?? throw new InvalidOperationException("run it from a checkout");
        }

        return at.FullName;
    }
}
