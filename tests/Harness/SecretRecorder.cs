using System.Text.RegularExpressions;

namespace Hexcast.Harness;

/// <summary>Notes every secret that passes between a test and the platform: sent or answered, header or body.</summary>
public sealed partial class SecretRecorder(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>Tokens come in small answers; video does not need to be read for them.</summary>
    private const int BodyLimitBytes = 1 << 20;

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Evidence.Secret(request.Headers.Authorization?.Parameter);
        Note(request.RequestUri?.Query);
        Note(Header(request, "Cookie"));
        var answer = await base.SendAsync(request, cancellationToken);
        Note(Header(answer, "Set-Cookie"));
        var text = answer.Content.Headers.ContentType?.MediaType is "application/json"
            or "application/vnd.apple.mpegurl" or "application/dash+xml";
        if (Evidence.Folder is not null && text && answer.Content.Headers.ContentLength is null or <= BodyLimitBytes)
        {
            await answer.Content.LoadIntoBufferAsync(BodyLimitBytes, cancellationToken);
            Note(await answer.Content.ReadAsStringAsync(cancellationToken));
        }

        return answer;
    }

    private static string Header(HttpRequestMessage request, string name) =>
        request.Headers.TryGetValues(name, out var values) ? string.Join('\n', values) : "";

    private static string Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join('\n', values) : "";

    /// <summary>Tokens in addresses, our cookies, and what JSON calls a secret or a token.</summary>
    public static IEnumerable<string> SecretsIn(string? text) =>
        Secrets().Matches(text ?? "").Select(found => Uri.UnescapeDataString(found.Groups["secret"].Value));

    private static void Note(string? text)
    {
        foreach (var secret in SecretsIn(text))
        {
            Evidence.Secret(secret);
        }
    }

    [GeneratedRegex(
        """([?&]token=|\\u0026token=|hexcast_\w+=|"(secret|token)":\s*")(?<secret>[^&;"'\s<\\]+)""",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Secrets();
}
