using Google.Protobuf;
using Hexcast.Contracts.V1;

namespace Hexcast.Access.Credentials;

/// <summary>A token goes with everything that hangs on it, in one transaction.</summary>
internal static class TokenRevocation
{
    public static Task RevokeAsync(CredentialStore store, AccessToken token, CancellationToken cancel) =>
        store.WriteAsync(
            [],
            new Dictionary<string, IMessage?>(StringComparer.Ordinal)
            {
                [CredentialKeys.Token(token.Id)] = null,
                [CredentialKeys.Use(token.Id)] = null,
            },
            cancel,
            CredentialKeys.Sessions(token.Id));
}
