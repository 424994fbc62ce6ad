using System.Text.RegularExpressions;

namespace Hexcast.Tidy;

public sealed partial class LinkTests
{
    [Fact]
    public void Relative_links_in_documents_lead_somewhere() =>
        Repository.Files.Where(f => f.Path.EndsWith(".md", StringComparison.Ordinal))
            .SelectMany(Dead).ShouldFindNothing("Dead links:");

    private static IEnumerable<string> Dead(SourceFile document)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, document.Path))!;
        foreach (Match link in Link().Matches(WithoutCode(document.Text)))
        {
            var target = Uri.UnescapeDataString(link.Groups["inline"].Value + link.Groups["source"].Value);
            if (target.Contains("://", StringComparison.Ordinal)
                || target.StartsWith("mailto:", StringComparison.Ordinal))
            {
                continue;
            }

            var parts = target.Split('#', 2);
            var path = parts[0].Length == 0 ? document.Path : Path.GetFullPath(Path.Combine(folder, parts[0]));
            path = Path.Combine(Repository.Root, path);
            if (!File.Exists(path) && !Directory.Exists(path))
            {
                yield return $"{document.Path} → {target}";
            }
            else if (parts is [_, var anchor] && path.EndsWith(".md", StringComparison.Ordinal)
                && !Anchors(File.ReadAllText(path)).Contains(anchor, StringComparer.Ordinal))
            {
                yield return $"{document.Path} → {target} (no such heading)";
            }
        }
    }

    /// <summary>What a heading becomes on the forges: lower case, punctuation dropped, blanks to hyphens.</summary>
    private static IEnumerable<string> Anchors(string markdown) =>
        WithoutCode(markdown, keepSpans: true).Split('\n').Where(l => l.StartsWith('#'))
            .Select(l => l.TrimStart('#').Trim().ToLowerInvariant())
            .Select(h => h.Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_'))
            .Select(h => string.Concat(h).Replace(' ', '-'));

    private static string WithoutCode(string markdown, bool keepSpans = false)
    {
        var text = Fence().Replace(markdown, "");
        return keepSpans ? text : Span().Replace(text, "");
    }

    [GeneratedRegex(
        @"\]\((?<inline>[^)\s]+)(\s+""[^""]*"")?\)|(src|srcset|href)=""(?<source>[^""]+)""",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Link();

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline, 1000)]
    private static partial Regex Fence();

    [GeneratedRegex("`[^`\n]*`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Span();
}
