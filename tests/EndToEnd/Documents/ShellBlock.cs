using System.Text.RegularExpressions;

namespace Hexcast.EndToEnd.Documents;

/// <summary>
/// A fenced block of shell in a page for people. All are run but those that say why not; a comment before the block,
/// which no reader sees, says what a person would do by hand:
/// <code>
///   &lt;!-- not run: REASON --&gt;     needs what a test does not have
///   &lt;!-- keeps running --&gt;       its server goes on, as in another terminal
///   &lt;!-- server stopped --&gt;      before this block a person has ended that server
///   &lt;!-- runs on --&gt;             it does not end by itself
/// </code>
/// A block of text or JSON right behind it is what it prints, with "…" for anything.
/// </summary>
internal sealed partial record ShellBlock(int Line, string Text, string? Mark, string? Expected, bool ExpectsJson)
{
    private const string NotRunMark = "not run: ";

    public string? NotRun => Mark?.StartsWith(NotRunMark, StringComparison.Ordinal) == true
        ? Mark[NotRunMark.Length..] : null;

    public bool KeepsRunning => Mark == "keeps running";

    public bool ServerStopped => Mark == "server stopped";

    public bool RunsOn => Mark == "runs on";

    public static List<ShellBlock> Of(string page) =>
    [
        .. Fenced().Matches(page).Select(match => new ShellBlock(
            page.AsSpan(0, match.Index).Count('\n') + 1,
            match.Groups["shell"].Value,
            match.Groups["mark"].Success ? match.Groups["mark"].Value : null,
            match.Groups["expected"].Success ? match.Groups["expected"].Value : null,
            match.Groups["kind"].Value == "json")),
    ];

    [GeneratedRegex(
        @"(?:^<!-- (?<mark>[^\n]+) -->\n\n?)?^```sh\n(?<shell>.*?)^```\n" +
        @"(?:\n```(?<kind>text|json)\n(?<expected>.*?)^```\n)?",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Fenced();
}
