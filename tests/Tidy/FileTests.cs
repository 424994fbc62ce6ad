using System.Text.RegularExpressions;

namespace Hexcast.Tidy;

/// <summary>Sizes, and what no file may hold.</summary>
public sealed partial class FileTests
{
    private const int MaxFileLines = 600;
    private const int MaxLineColumns = 120;
    private const int MaxProgramLines = 60;

    private static readonly string[] TextEndings =
        [".cs", ".csproj", ".props", ".slnx", ".proto", ".md", ".yaml", ".yml", ".json", ".sh", ".js", ".css", ".html"];

    /// <summary>This project names what it forbids.</summary>
    private static IEnumerable<SourceFile> Checked =>
        Repository.Files.Where(f => !f.Path.StartsWith("tests/Tidy/", StringComparison.Ordinal));

    private static IEnumerable<SourceFile> Texts => Checked.Where(f =>
        f.Path is "hexcast" or ".ci/run" || TextEndings.Any(e => f.Path.EndsWith(e, StringComparison.Ordinal)));

    [Fact]
    public void No_source_file_is_longer_than_600_lines() =>
        Repository.CSharp.Where(f => f.Lines.Length > MaxFileLines).Select(f => $"{f.Path}: {f.Lines.Length} lines")
            .ShouldFindNothing("A file holds one concept. Split these:");

    [Fact]
    public void No_source_line_is_wider_than_120_columns() =>
        Repository.CSharp
            .SelectMany(f => f.Lines.Select((line, i) => (f.Path, line, number: i + 1)))
            .Where(l => l.line.Length > MaxLineColumns)
            .Select(l => $"{l.Path}:{l.number}: {l.line.Length} columns")
            .ShouldFindNothing($"Break these lines at {MaxLineColumns} columns:");

    [Fact]
    public void The_program_file_only_parses_builds_and_runs() =>
        Repository.Files.Where(f => f.Path == "src/App/Program.cs" && f.Lines.Length > MaxProgramLines)
            .Select(f => f.Path)
            .ShouldFindNothing($"Program.cs holds at most {MaxProgramLines} lines:");

    [Fact]
    public void Nothing_pretends_to_be_finished() =>
        Checked.Where(f => f.Path.EndsWith(".cs", StringComparison.Ordinal)).SelectMany(f => f.Matches(Unfinished()))
            .ShouldFindNothing("Finish these, or let them fail with a named error:");

    [Fact]
    public void No_file_names_a_path_of_the_machine_that_it_was_written_on() =>
        Texts.Where(f => !f.Path.EndsWith("packages.lock.json", StringComparison.Ordinal))
            .SelectMany(f => f.Matches(MachinePath()))
            .ShouldFindNothing("Take these paths from configuration, the checkout or the temporary folder:");

    [Fact]
    public void No_sample_names_the_folder_that_it_was_made_in() =>
        Texts.Where(f => f.Path.EndsWith(".json", StringComparison.Ordinal))
            .SelectMany(f => f.Matches(TemporaryPath()))
            .ShouldFindNothing("Write source.mkv or the like instead of these paths:");

    [Fact]
    public void Lock_files_hold_no_registry_address() =>
        Repository.Files
            .Where(f => Path.GetFileName(f.Path) is "packages.lock.json" or "package-lock.json")
            .SelectMany(f => f.Matches(PackageAddress()))
            .ShouldFindNothing("npm: omit-lockfile-registry-resolved=true in .npmrc, then npm install again:");

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = Repository.Files.Single(f => f.Path == "Hexcast.slnx").Text;
        Repository.Files.Where(f => f.Path.EndsWith(".csproj", StringComparison.Ordinal))
            .Where(f => !solution.Contains($"\"{f.Path}\"", StringComparison.Ordinal)).Select(f => f.Path)
            .ShouldFindNothing("Add these to Hexcast.slnx, or nothing builds them:");
    }

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX|NotImplementedException)\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"(?<![\w.:/])/(home|root|Users|work)/\w|[A-Z]:\\Users\\", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex MachinePath();

    [GeneratedRegex("\"/tmp/", RegexOptions.None, 1000)]
    private static partial Regex TemporaryPath();

    [GeneratedRegex("\"resolved\":\\s*\"https?:", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PackageAddress();
}
