using Hexcast.Contracts;
using Hexcast.Platform.Errors;
using Hexcast.Playback.Versions;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Hexcast.Playback.Tokens;

/// <summary>
/// Issues and verifies playback tokens: JWTs for one media, bound to its path, of one algorithm. Verified ones are
/// remembered, for a player shows the same token with each segment.
/// </summary>
internal sealed class PlaybackTokens(KeyRing keys, TimeProvider clock)
{
    /// <summary>A longer one is no token of ours; also what a manifest can carry.</summary>
    public const int LengthLimit = 1024;

    private const string Issuer = "hexcast", Audience = "hexcast-playback", PathClaim = "path";
    private const int RememberedLimit = 10_000;

    /// <summary>How far the clocks of two nodes may differ. A token that has expired gets nothing of it.</summary>
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);

    private readonly JsonWebTokenHandler handler = new()
    {
        MapInboundClaims = false,
        SetDefaultTimesOnTokenCreation = false,
    };

    private readonly WeightedLru<string, Grant> remembered = new(RememberedLimit);

    /// <summary>
    /// The algorithm is this node's choice and never the token's: "none" and an HMAC under the public key end here.
    /// </summary>
    private readonly TokenValidationParameters rules = new()
    {
        ValidAlgorithms = [KeyRing.Algorithm],
        ValidTypes = ["JWT"],
        ValidIssuer = Issuer,
        ValidAudience = Audience,
        IssuerSigningKeys = keys.All,
        TryAllIssuerSigningKeys = false,
        RequireSignedTokens = true,
        RequireExpirationTime = true,
        // Checked below, with the injected clock.
        ValidateLifetime = false,
        LogTokenId = false,
    };

    public static string PathOf(MediaId media) => $"/play/{media}/";

    public (string Token, DateTimeOffset ExpiresAt) Issue(MediaId media, TimeSpan lifetime)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(clock.GetUtcNow().ToUnixTimeSeconds());
        var expiresAt = now + lifetime;
        var token = handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Audience,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = expiresAt.UtcDateTime,
            Claims = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                [JwtRegisteredClaimNames.Sub] = media.ToString(),
                [PathClaim] = PathOf(media),
            },
            SigningCredentials = keys.Signing,
        });
        return (token, expiresAt);
    }

    /// <summary>Answers when the token ends.</summary>
    /// <exception cref="HexcastException">token_invalid, token_expired.</exception>
    public async ValueTask<DateTimeOffset> CheckAsync(string token, MediaId media, string path)
    {
        if (token.Length > LengthLimit)
        {
            throw Invalid("it is too long");
        }

        if (!remembered.TryGet(token, out var grant))
        {
            grant = await VerifyAsync(token);
            remembered.Set(token, grant, valueWeight: 1);
        }

        var now = clock.GetUtcNow();
        if (grant.ExpiresAt <= now)
        {
            throw new HexcastException(
                ErrorCodes.TokenExpired,
                "The playback token has expired. Ask for a new one: POST /v1/media/{id}/playback.");
        }

        if (grant.ValidFrom > now + Leeway)
        {
            throw Invalid("its time has not come");
        }

        if (grant.Subject != media.ToString() || !path.StartsWith(grant.Path, StringComparison.Ordinal))
        {
            throw Invalid("it is for another media");
        }

        return grant.ExpiresAt;
    }

    private async Task<Grant> VerifyAsync(string token)
    {
        var result = await handler.ValidateTokenAsync(token, rules);
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt)
        {
            throw Invalid("its signature or its form is wrong");
        }

        // What is signed with our key has these; a token without one of them has another purpose.
        if (!jwt.TryGetPayloadValue<string>(PathClaim, out var path) || !path.EndsWith('/') ||
            TimeOf(jwt.ValidFrom) is not { } notBefore || TimeOf(jwt.IssuedAt) is not { } issuedAt ||
            TimeOf(jwt.ValidTo) is not { } expiresAt)
        {
            throw Invalid("a claim is missing");
        }

        return new Grant(jwt.Subject, path, notBefore > issuedAt ? notBefore : issuedAt, expiresAt);
    }

    private static DateTimeOffset? TimeOf(DateTime claim) =>
        claim == DateTime.MinValue ? null : new DateTimeOffset(claim, TimeSpan.Zero);

    private static HexcastException Invalid(string why) =>
        new(ErrorCodes.TokenInvalid, $"The playback token does not open this: {why}.");

    private sealed record Grant(string Subject, string Path, DateTimeOffset ValidFrom, DateTimeOffset ExpiresAt);
}
