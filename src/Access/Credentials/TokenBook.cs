using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;

namespace Hexcast.Access.Credentials;

/// <summary>Makes, lists and revokes API tokens.</summary>
internal sealed class TokenBook(CredentialStore store, TokenUse use, TimeProvider clock) : ITokenBook
{
    public const int TokenLimit = 1000;

    public IReadOnlyList<KnownToken> List(Principal viewer) =>
        [.. Visible(viewer).OrderBy(token => token.CreatedAtUnixMs).Select(Describe)];

    public async Task<(KnownToken Token, string Secret)> CreateAsync(
        Principal maker, TokenRequest asked, CancellationToken cancellationToken)
    {
        if (store.All<AccessToken>().Count >= TokenLimit)
        {
            throw new HexcastException(
                ErrorCodes.ResourceExhausted, $"There are {TokenLimit} tokens already. Revoke some first.");
        }

        var secret = Secret.NewToken();
        var token = TokenRules.Make(asked, maker, secret, clock.GetUtcNow());
        await store.WriteAsync(
            [Compare.Missing(CredentialKeys.Token(token.Id))],
            new Dictionary<string, IMessage?>(StringComparer.Ordinal) { [CredentialKeys.Token(token.Id)] = token },
            cancellationToken);
        return (Describe(token), secret.Text);
    }

    public Task RevokeAsync(Principal viewer, string id)
    {
        var token = Visible(viewer).FirstOrDefault(t => t.Id == id)
            ?? throw new HexcastException(ErrorCodes.NotFound, "There is no such token.");
        // To its end, whoever leaves meanwhile: one that revokes itself is no longer let in before this returns.
        return token.FileOfNode.Length == 0
            ? TokenRevocation.RevokeAsync(store, token, CancellationToken.None)
            : throw new HexcastException(
                ErrorCodes.Conflict,
                $"This is the admin token of node '{token.FileOfNode}'. To replace it, remove {AdminToken.FileName} " +
                "from its data folder and restart it.");
    }

    private IEnumerable<AccessToken> Visible(Principal viewer) =>
        store.All<AccessToken>().Where(token => viewer.Tenant is null || token.Tenant == viewer.Tenant);

    private KnownToken Describe(AccessToken token) => new(
        token.Id,
        token.Name,
        [.. token.Scopes],
        OrNull(token.Tenant),
        TimeOrNull(token.CreatedAtUnixMs),
        OrNull(token.CreatedBy),
        TimeOrNull(token.ExpiresAtUnixMs),
        use.Last(token.Id),
        OrNull(token.FileOfNode));

    private static DateTimeOffset? TimeOrNull(long unixMillis) =>
        unixMillis == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(unixMillis);

    private static string? OrNull(string text) => text.Length == 0 ? null : text;
}
