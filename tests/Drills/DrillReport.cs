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
        var (commit, _) = await Clips.RunAsync("git", ["-C", root, "rev-parse", "--short", "HEAD"]);
        var folder = Directory.CreateDirectory(Path.Combine(root, "docs", "drills"));
        var path = Path.Combine(folder.FullName, $"{name}.md");
        var day = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd");
        await File.WriteAllTextAsync(
            path, $"# Drill: {name}\n\nRun by `./hexcast drill {name}` on {day} at {commit.Trim()}.\n\n{lines}");
        return path;
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
