using System.Collections.Concurrent;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Platform.Errors;

namespace Hexcast.Access.Credentials;

/// <summary>
/// When each token was last used, roughly: noted in memory as requests come, written once in a while, so that no
/// request waits for it and a busy token costs one write in five minutes.
/// </summary>
internal sealed class TokenUse(CredentialStore store, TimeProvider clock)
{
    private static readonly TimeSpan Coarseness = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, long> unwritten = new(StringComparer.Ordinal);

    public void Note(string tokenId)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (now - LastMillis(tokenId) >= Coarseness.TotalMilliseconds)
        {
            unwritten.TryAdd(tokenId, now);
        }
    }

    public DateTimeOffset? Last(string tokenId) =>
        LastMillis(tokenId) is var millis and > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(millis) : null;

    public async Task WriteAsync(CancellationToken cancel)
    {
        foreach (var (tokenId, millis) in unwritten)
        {
            try
            {
                // Not where the token was revoked meanwhile: nothing would take the key away again.
                await store.WriteAsync(
                    [Compare.Exists(CredentialKeys.Token(tokenId))],
                    new Dictionary<string, IMessage?>(StringComparer.Ordinal)
                    {
                        [CredentialKeys.Use(tokenId)] = new AccessUse { AtUnixMs = millis },
                    },
                    cancel);
                unwritten.TryRemove(tokenId, out _);
            }
            catch (HexcastException)
            {
                // The next turn comes.
                return;
            }
        }
    }

    private long LastMillis(string tokenId) => Math.Max(
        unwritten.GetValueOrDefault(tokenId),
        store.Known<AccessUse>(CredentialKeys.Use(tokenId))?.AtUnixMs ?? 0);
}
