using System.Collections.Concurrent;

namespace Hexcast.Access.Credentials;

/// <summary>Ends what is under way for a token that has ended. There are no more of these than tokens.</summary>
internal sealed class TokenEnds
{
    private readonly ConcurrentDictionary<string, CancellationTokenSource> ends = new(StringComparer.Ordinal);

    public CancellationToken Of(string tokenId) =>
        ends.GetOrAdd(tokenId, static _ => new CancellationTokenSource()).Token;

    public void End(string tokenId)
    {
        if (ends.TryRemove(tokenId, out var end))
        {
            // Not disposed of: a request may be linking itself to it at this moment.
            end.Cancel();
        }
    }
}
