using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Hexcast.Leaks;

/// <summary>
/// Looks through log lines, spans, audit entries and words on standard error for secrets: for those that the tests
/// noted, in every spelling that they have in URLs and JSON, and for whatever has the form of a credential, noted or
/// not.
/// </summary>
internal sealed partial class LeakScanner(IEnumerable<string> secrets)
{
    /// <summary>Characters before a find that are shown; the find itself is not: the report is a log as well.</summary>
    private const int ContextLength = 60;

    // All at once: there are thousands, and megabytes to look through.
    private readonly SearchValues<string> noted = SearchValues.Create(
        [.. secrets.SelectMany(Spellings).Distinct(StringComparer.Ordinal)], StringComparison.Ordinal);

    public IEnumerable<string> Scan(string name, IEnumerable<string> lines)
    {
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            foreach (var at in Finds(line))
            {
                yield return $"{name}:{number}: …{line[Math.Max(0, at - ContextLength)..at]}[a secret]";
            }
        }
    }

    private IEnumerable<int> Finds(string line)
    {
        if (line.AsSpan().IndexOfAny(noted) is var at and >= 0)
        {
            yield return at;
        }

        foreach (Match match in Credential().Matches(line))
        {
            yield return match.Index;
        }
    }

    // As it is; as part of a URL; its bytes as a header or a log may show them. Of a signed token the signature alone
    // would do.
    private static IEnumerable<string> Spellings(string secret)
    {
        yield return secret;
        yield return Uri.EscapeDataString(secret);
        yield return Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)).TrimEnd('=');
        if (secret.Split('.') is [_, _, { Length: > 20 } signature])
        {
            yield return signature;
        }
    }

    [GeneratedRegex(
        @"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\bhxc_[\w-]{8,}|[?&]token=(?!\[redacted\])[\w-]"
        + @"|[Bb]earer (?!\[redacted\])[\w-]{8,}|\bhexcast_(session|play\w*)=(?!\[redacted\])[\w-]{8,}"
        + "|-----BEGIN [A-Z ]*PRIVATE KEY",
        RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Credential();
}
