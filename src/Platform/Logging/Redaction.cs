using System.Text.RegularExpressions;

namespace Hexcast.Platform.Logging;

/// <summary>Keeps tokens and keys out of logs, whatever message they are part of.</summary>
public static partial class Redaction
{
    private const string Mark = "[redacted]";

    public static string Apply(string text) => Secrets().Replace(text, "${name}" + Mark);

    public static string Field(string name, string value) =>
        name is "token" or "authorization" or "cookie" or "secret" or "password" ? Mark : Apply(value);

    // "?token=…" and "&token=…" in URLs, bearer credentials, our cookies, the password of a URL; JWTs, API and join
    // tokens anywhere.
    [GeneratedRegex(
        @"(?<name>[?&]token=|[Bb]earer |\bhexcast_\w+=)[^\s&;""'\\]+|(?<name>://)[^/\s:@]+:[^/\s@]+(?=@)"
        + @"|(?<name>)\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<name>)\bhx[cj]_[\w-]+",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Secrets();
}
