using System.Text.RegularExpressions;

namespace Hexcast.Tidy;

/// <summary>What the pages for people promise: their commands are run, and they name what is audited.</summary>
public sealed partial class DocumentTests
{
    private const string Access = "docs/api/access.md";

    private static readonly HashSet<string> InAccess =
    [
        .. Repository.Files.Single(f => f.Path == Access).Lines
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(row => Name().Matches(row.Split('|')[1])).Select(name => name.Groups["name"].Value),
    ];

    private static readonly List<(string Where, string Action)> InCode =
    [
        .. Repository.CSharp.Where(f => f.Path.StartsWith("src/", StringComparison.Ordinal))
            .SelectMany(f => f.Lines.Where(line => Audited().IsMatch(line))
                .SelectMany(line => Action().Matches(line)).Select(found => (f.Path, found.Groups["action"].Value))),
    ];

    [Fact]
    public void Every_audited_action_has_a_row() =>
        InCode.Where(found => !InAccess.Contains(found.Action))
            .Select(found => $"{found.Where}: {found.Action}")
            .ShouldFindNothing($"Say in {Access} what these are:");

    [Fact]
    public void Every_row_is_an_audited_action()
    {
        Assert.True(InCode.Count > 5, "nothing audited was found");
        InAccess.Where(name => name.Contains('.', StringComparison.Ordinal))
            .Except(InCode.Select(found => found.Action), StringComparer.Ordinal)
            .ShouldFindNothing($"Nothing writes these any more; take them out of {Access}:");
    }

    /// <summary>tests/EndToEnd runs each fence marked <c>sh</c>; one that calls itself anything else it never sees.
    /// </summary>
    [Fact]
    public void Every_command_in_a_page_is_run_or_says_why_not() =>
        Pages().SelectMany(page => Fence().Matches(page.Text)
                .Where(fence => fence.Groups["language"].Value is var language
                    && language.Length > 0 && !NotShell.Contains(language, StringComparer.Ordinal)
                    && (language != "sh" || fence.Groups["indent"].Length > 0))
                .Select(fence => $"{page.Path}: {fence.Value}"))
            .ShouldFindNothing("Mark these ```sh, at the beginning of the line, so that they are run:");

    [Fact]
    public void What_is_not_run_says_why() =>
        Pages().SelectMany(page => NotRun().Matches(page.Text)
                .Where(mark => mark.Groups["reason"].Value.Trim().Length < 10)
                .Select(mark => $"{page.Path}: {mark.Value}"))
            .ShouldFindNothing("Give a reason:");

    /// <summary>A fence without a language, or of text, that is one: it begins as a shell's does.</summary>
    [Fact]
    public void No_command_hides_in_a_fence_of_another_kind() =>
        Pages().SelectMany(page => Fenced().Matches(page.Text)
                .Where(fence => fence.Groups["language"].Value is "" or "text")
                .Where(fence => Prompt().IsMatch(fence.Groups["body"].Value))
                .Select(fence => $"{page.Path}: {fence.Groups["body"].Value.Split('\n')[0]}"))
            .ShouldFindNothing("Mark these ```sh, so that they are run:");

    // As EndToEnd's own list: tables of results and reasons, which nobody follows at a shell.
    private static readonly string[] NotFollowed = ["docs/decisions/", "docs/drills/", "docs/images/"];
    private static readonly string[] NotShell = ["json", "text", "html", "yaml", "nginx"];

    private static IEnumerable<SourceFile> Pages() => Repository.Files.Where(f =>
        (f.Path == "README.md" || f.Path.StartsWith("docs/", StringComparison.Ordinal))
        && f.Path.EndsWith(".md", StringComparison.Ordinal)
        && !NotFollowed.Any(folder => f.Path.StartsWith(folder, StringComparison.Ordinal)));

    [GeneratedRegex("`(?<name>[^`]+)`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Name();

    [GeneratedRegex("\"(?<action>[a-z]+\\.[a-z]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Action();

    [GeneratedRegex(@"\.Audited\(|\bAudit\(\)\.Action\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Audited();

    [GeneratedRegex(@"^(?<indent>[ \t]*)(```|~~~)(?<language>\w*)[^\n`]*$",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^```(?<language>\w*)\n(?<body>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Fenced();

    [GeneratedRegex(@"^(\$ |(sudo|curl|export|git|cp|rm|\./hexcast) )",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Prompt();

    [GeneratedRegex("<!-- not run:?(?<reason>[^\n]*?)-->", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex NotRun();
}
