using System.Text.RegularExpressions;

namespace Hexcast.Leaks;

/// <summary>
/// The one secret that is said on purpose: at its first start a platform prints its admin token, in exactly these
/// words, and never again.
/// </summary>
internal sealed partial class FirstShowing
{
    private readonly HashSet<string> shown = new(StringComparer.Ordinal);

    /// <summary>The line without the token, where it may stand; the line as it is, where it may not.</summary>
    public string Without(string line) => Words().Match(line) is { Success: true } said
        && shown.Add(said.Groups["token"].Value)
            ? line.Replace(said.Groups["token"].Value, "", StringComparison.Ordinal) : line;

    [GeneratedRegex(
        @"^hexcast: sign in with the admin token (?<token>hxc_[\w-]{43}) \(shown this once; it is kept in [^()]+\)$",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Words();
}
