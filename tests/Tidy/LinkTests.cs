using System.Text.RegularExpressions;

namespace Hexcast.Tidy;

public sealed partial class LinkTests
{
    [Fact]
    public void Relative_links_in_documents_lead_somewhere() =>
        Repository.Files.Where(f => f.Path.EndsWith(".md", StringComparison.Ordinal))
            .SelectMany(Dead).ShouldFindNothing("Dead links:");

    [Fact]
    public void Every_document_can_be_reached_from_the_README()
    {
        var documents = Repository.Files.Where(f => f.Path.EndsWith(".md", StringComparison.Ordinal)).ToList();
        var reached = new HashSet<string>(StringComparer.Ordinal) { "README.md" };
        var open = new Queue<SourceFile>(documents.Where(f => f.Path == "README.md"));
        while (open.TryDequeue(out var document))
        {
            var targets = Targets(document).Select(l => Path.GetRelativePath(Repository.Root, l.Path)).ToHashSet();
            // A link to a folder shows what lies in it, but not what lies deeper.
            foreach (var next in documents.Where(d =>
                targets.Contains(d.Path) || targets.Contains(Path.GetDirectoryName(d.Path)!)))
            {
                if (reached.Add(next.Path))
                {
                    open.Enqueue(next);
                }
            }
        }

        documents.Where(d => d.Path.StartsWith("docs/", StringComparison.Ordinal) && !reached.Contains(d.Path))
            .Select(d => d.Path).ShouldFindNothing("Nobody finds these; link them from README or from what it links:");
    }

    private static IEnumerable<string> Dead(SourceFile document)
    {
        foreach (var (target, path, anchor) in Targets(document))
        {
            if (!File.Exists(path) && !Directory.Exists(path))
            {
                yield return $"{document.Path} → {target}";
            }
            else if (anchor is not null && path.EndsWith(".md", StringComparison.Ordinal)
                && !Anchors(File.ReadAllText(path)).Contains(anchor, StringComparer.Ordinal))
            {
                yield return $"{document.Path} → {target} (no such heading)";
            }
        }
    }

    /// <summary>The document's links to files and folders of the checkout, as full paths.</summary>
    private static IEnumerable<(string Target, string Path, string? Anchor)> Targets(SourceFile document)
    {
        var self = Path.Combine(Repository.Root, document.Path);
        foreach (Match link in Link().Matches(WithoutCode(document.Text)))
        {
            var target = Uri.UnescapeDataString(link.Groups["inline"].Value + link.Groups["source"].Value);
            if (target.Contains("://", StringComparison.Ordinal)
                || target.StartsWith("mailto:", StringComparison.Ordinal))
            {
                continue;
            }

            var parts = target.Split('#', 2);
            var path = parts[0].Length == 0
                ? self
                : Path.TrimEndingDirectorySeparator(Path.GetFullPath(parts[0], Path.GetDirectoryName(self)!));
            yield return (target, path, parts.Length == 2 ? parts[1] : null);
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
