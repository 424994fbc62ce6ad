using System.Collections.Frozen;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Hexcast.Access.Credentials;

/// <summary>
/// From what a request shows to who it is. A right credential is let in however many wrong ones came from the same
/// address; wrong ones cost attempts, and over the limit they are not even looked up.
/// </summary>
internal sealed class Authenticator(
    CredentialStore store, Sessions sessions, TokenUse use, CredentialEnds ends, TimeProvider clock) : IAuthenticator
{
    private const string Bearer = "Bearer";

    private readonly AttemptLimiter wrongs = new(new AttemptLimits
    {
        Burst = 20,
        RefillInterval = TimeSpan.FromSeconds(3),
        OverallBurst = 1_000,
        OverallRefillInterval = TimeSpan.FromMilliseconds(20),
    });

    public async ValueTask<Principal?> AuthenticateAsync(HttpContext context, bool mayRenew)
    {
        try
        {
            // A proxy's own scheme (Basic) is none of ours, and the cookie beside it counts.
            if (BearerOf(context.Request.Headers.Authorization) is { } shown)
            {
                return PrincipalOf(await CheckTokenAsync(shown, context), sessionId: null);
            }

            var cookie = SessionCookie.Read(context.Request, out var malformed);
            return cookie is not null
                ? PrincipalOf(await CheckCookieAsync(context, cookie, mayRenew), cookie.SessionId)
                : malformed ? throw new HexcastException(ErrorCodes.CredentialInvalid, "This is no session of ours.")
                : null;
        }
        catch (HexcastException wrong) when (wrong.Code == ErrorCodes.CredentialInvalid)
        {
            var source = AttemptLimiter.Source(context.Connection.RemoteIpAddress);
            if (!wrongs.TryTake(source, clock.GetUtcNow()))
            {
                throw TooMany(context, wrongs.Wait(source, clock.GetUtcNow()));
            }

            throw;
        }
    }

    // Sessions end with their token.
    public async ValueTask<CancellationToken> EndOfAsync(Principal principal, CancellationToken cancel)
    {
        var (key, isThere) = principal.SessionId is { } session
            ? IsThere<AccessSession>(CredentialKeys.Session(principal.Id, session))
            : IsThere<AccessToken>(CredentialKeys.Token(principal.Id));
        var end = ends.Of(key);
        // It may have ended after it was checked and before there was anything to tell.
        if (!await isThere())
        {
            ends.End(key);
        }

        return end;

        (string, Func<ValueTask<bool>>) IsThere<T>(string of) where T : class, IMessage =>
            (of, async () => await store.FindAsync<T>(of, cancel) is not null);
    }

    /// <exception cref="HexcastException">credential_invalid, credential_expired, unavailable</exception>
    public async Task<AccessToken> CheckTokenAsync(string shown, HttpContext context)
    {
        if (!Secret.TryParseToken(shown, out var secret))
        {
            throw new HexcastException(
                ErrorCodes.CredentialInvalid, $"This is no API token: one begins with {Secret.TokenPrefix}.");
        }

        var key = CredentialKeys.Token(secret.Id);
        var token = store.Known<AccessToken>(key);
        if (token is null)
        {
            RequireAttempt(context);
            token = (await store.FindAsync<AccessToken>(key, context.RequestAborted))?.Record;
        }

        if (token is null || !secret.Matches(token.SecretSha256.Span))
        {
            throw new HexcastException(ErrorCodes.CredentialInvalid, "There is no such token, or it was revoked.");
        }

        RequireUnexpired(token);
        use.Note(token.Id);
        return token;
    }

    public static Principal PrincipalOf(AccessToken token, string? sessionId) => new(
        token.Id,
        token.Name,
        token.Scopes.Where(name => Scopes.TryParse(name, out _))
            .Select(name => Scopes.TryParse(name, out var scope) ? scope : default).ToFrozenSet(),
        token.Tenant.Length == 0 ? null : token.Tenant,
        sessionId);

    public static HexcastException TooMany(HttpContext context, TimeSpan wait)
    {
        var seconds = (int)Math.Clamp(Math.Ceiling(wait.TotalSeconds), 1, 3600);
        context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new HexcastException(
            ErrorCodes.TooManyAttempts, $"Too many wrong credentials came from here. Try again in {seconds} s.");
    }

    private async Task<AccessToken> CheckCookieAsync(HttpContext context, SessionCookie cookie, bool mayRenew)
    {
        if (store.Known<AccessSession>(CredentialKeys.Session(cookie.TokenId, cookie.SessionId)) is null)
        {
            RequireAttempt(context);
        }

        await sessions.CheckAsync(context, cookie, mayRenew);
        var found = await store.FindAsync<AccessToken>(CredentialKeys.Token(cookie.TokenId), context.RequestAborted);
        if (found is not var (token, _))
        {
            throw new HexcastException(ErrorCodes.CredentialInvalid, "The token of this session was revoked.");
        }

        RequireUnexpired(token);
        use.Note(token.Id);
        return token;
    }

    private void RequireUnexpired(AccessToken token)
    {
        if (token.ExpiresAtUnixMs > 0 && token.ExpiresAtUnixMs <= clock.GetUtcNow().ToUnixTimeMilliseconds())
        {
            throw new HexcastException(
                ErrorCodes.CredentialExpired, $"The token '{token.Name}' has expired. Ask its maker for a new one.");
        }
    }

    // What is not known here would be asked of the coordinator: nobody gets to make us ask for ever.
    private void RequireAttempt(HttpContext context)
    {
        var wait = wrongs.Wait(AttemptLimiter.Source(context.Connection.RemoteIpAddress), clock.GetUtcNow());
        if (wait > TimeSpan.Zero)
        {
            throw TooMany(context, wait);
        }
    }

    private static string? BearerOf(StringValues authorization)
    {
        if (authorization.Count > 1)
        {
            throw new HexcastException(ErrorCodes.CredentialInvalid, "Send one Authorization header.");
        }

        var text = authorization.ToString();
        return text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            && (text.Length == Bearer.Length || text[Bearer.Length] == ' ')
            ? text[Bearer.Length..].Trim()
            : null;
    }
}
