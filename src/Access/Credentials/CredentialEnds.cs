using System.Collections.Concurrent;

namespace Hexcast.Access.Credentials;

/// <summary>
/// Ends what is under way for a token or a session that has ended, each by its key. There are no more of these than
/// credentials in use.
/// </summary>
internal sealed class CredentialEnds
{
    private readonly ConcurrentDictionary<string, CancellationTokenSource> ends = new(StringComparer.Ordinal);

    public CancellationToken Of(string key) =>
        ends.GetOrAdd(key, static _ => new CancellationTokenSource()).Token;

    public void End(string key)
    {
        if (ends.TryRemove(key, out var end))
        {
            // Not disposed of: a request may be linking itself to it at this moment.
            end.Cancel();
        }
    }
}
