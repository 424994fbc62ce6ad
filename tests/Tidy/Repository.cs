using System.Text.RegularExpressions;

namespace Hexcast.Tidy;

/// <summary>The checkout that these tests read: its files as they lie on disk, without what a build makes.</summary>
internal static class Repository
{
    private static readonly string[] NotOurs =
        ["bin", "obj", "node_modules", ".git", ".vs", "artifacts", "lib", "data"];

    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<SourceFile> Files { get; } =
        [.. Walk(new DirectoryInfo(Root)).OrderBy(f => f.Path, StringComparer.Ordinal)];

    public static IEnumerable<SourceFile> CSharp => Files.Where(f => f.Path.EndsWith(".cs", StringComparison.Ordinal));

    public static IEnumerable<SourceFile> Under(string folder) =>
        Files.Where(f => f.Path.StartsWith(folder + "/", StringComparison.Ordinal));

    /// <summary>Asserts that nothing was found, and prints each finding on a line of its own otherwise.</summary>
    public static void ShouldFindNothing(this IEnumerable<string> findings, string cure)
    {
        var all = findings.ToList();
        Assert.True(all.Count == 0, $"{cure}\n  {string.Join("\n  ", all)}");
    }

    private static IEnumerable<SourceFile> Walk(DirectoryInfo folder) =>
        folder.EnumerateFiles().Where(f => f.LinkTarget is null).Select(f => new SourceFile(f.FullName))
            .Concat(folder.EnumerateDirectories()
                .Where(d => d.LinkTarget is null && !NotOurs.Contains(d.Name, StringComparer.Ordinal))
                .SelectMany(Walk));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "Hexcast.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("Tidy runs inside a checkout of Hexcast.");
    }
}

internal sealed class SourceFile(string fullPath)
{
    private string? text;

    /// <summary>Relative to the checkout, with forward slashes.</summary>
    public string Path { get; } = System.IO.Path.GetRelativePath(Repository.Root, fullPath).Replace('\\', '/');

    public string Text => text ??= File.ReadAllText(fullPath);

    public string[] Lines => Text.Split('\n');

    public IEnumerable<string> Matches(Regex pattern) => Lines
        .Select((line, i) => (line, number: i + 1))
        .Where(l => pattern.IsMatch(l.line))
        .Select(l => $"{Path}:{l.number}: {l.line.Trim()}");
}
