using System.Collections.Concurrent;
using Hexcast.Harness;
using Microsoft.Playwright;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>Notes what a browser is given to keep, for tests/Leaks: its cookies, and tokens in what it asks for.
/// </summary>
internal static class BrowserSecrets
{
    private static readonly ConcurrentDictionary<string, bool> Seen = new(StringComparer.Ordinal);

    public static ICollection<string> Noted => Seen.Keys;

    /// <summary>From now on, until the context is closed.</summary>
    public static void Watch(IBrowserContext context)
    {
        context.Request += (_, request) => NoteAll("browser-tokens", request.Url);
        context.Response += async (_, response) =>
        {
            try
            {
                NoteAll("browser-cookies", $"{await response.HeaderValueAsync("set-cookie")}");
            }
            catch (PlaywrightException)
            {
                // The tab was closed before its answer was there.
            }
        };
    }

    private static void NoteAll(string kind, string text)
    {
        foreach (var secret in SecretRecorder.SecretsIn(text).Where(secret => Seen.TryAdd(secret, true)))
        {
            Evidence.Secret(secret);
            Evidence.Keep(kind, "one");
        }
    }
}
