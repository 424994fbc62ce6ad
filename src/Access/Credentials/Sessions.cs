using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Access.Credentials;

/// <summary>
/// Browsers' sessions: begun with a token, carried by a cookie, ended by sign-out, time or the token's end.
/// </summary>
internal sealed class Sessions(CredentialStore store, AccessOptions options, TimeProvider clock)
{
    /// <summary>Over it a token's oldest session ends for a new one.</summary>
    public const int LimitPerToken = 100;

    /// <exception cref="HexcastException">unavailable, storage_full</exception>
    public async Task<AccessSession> BeginAsync(HttpContext context, AccessToken token)
    {
        var secret = Secret.NewSession();
        var now = clock.GetUtcNow();
        var session = new AccessSession
        {
            Id = Secret.NewId(),
            TokenId = token.Id,
            SecretSha256 = ByteString.CopyFrom(secret.Hash),
            CreatedAtUnixMs = now.ToUnixTimeMilliseconds(),
            ChangedAtUnixMs = now.ToUnixTimeMilliseconds(),
            SeenAtUnixMs = now.ToUnixTimeMilliseconds(),
        };
        var records = store.All<AccessSession>(CredentialKeys.Sessions(token.Id))
            .OrderByDescending(s => s.SeenAtUnixMs).Skip(LimitPerToken - 1)
            .ToDictionary(KeyOf, _ => (IMessage?)null, StringComparer.Ordinal);
        records[KeyOf(session)] = session;
        // Not for a token that was revoked this moment: its sessions are gone, and this one would stay.
        if (!await store.WriteAsync(
            [Compare.Exists(CredentialKeys.Token(token.Id))], records, context.RequestAborted))
        {
            throw new HexcastException(ErrorCodes.CredentialInvalid, "The token was revoked.");
        }

        new SessionCookie(token.Id, session.Id, secret).Send(context, options.SessionLifetime);
        return session;
    }

    public async Task<AccessSession> CheckAsync(HttpContext context, SessionCookie cookie, bool mayRenew)
    {
        var key = CredentialKeys.Session(cookie.TokenId, cookie.SessionId);
        var cancel = context.RequestAborted;
        var found = await store.FindAsync<AccessSession>(key, cancel);
        var verdict = Judge(found?.Record, cookie);
        if (verdict == SessionVerdict.Wrong && found is not null)
        {
            // Another node may have changed it since this one heard of it.
            found = await store.FindNewestAsync<AccessSession>(key, cancel);
            verdict = Judge(found?.Record, cookie);
        }

        if (found is not var (session, revision) || verdict == SessionVerdict.Wrong)
        {
            throw new HexcastException(ErrorCodes.CredentialInvalid, "There is no such session. Sign in again.");
        }

        if (verdict == SessionVerdict.Expired)
        {
            throw new HexcastException(ErrorCodes.CredentialExpired, "The session has ended. Sign in again.");
        }

        if (mayRenew)
        {
            await RenewAsync(context, cookie, session, revision, verdict);
        }

        return session;
    }

    public Task EndAsync(AccessSession session, CancellationToken cancel) => store.WriteAsync(
        [], new Dictionary<string, IMessage?>(StringComparer.Ordinal) { [KeyOf(session)] = null }, cancel);

    public DateTimeOffset ExpiresAt(AccessSession session) =>
        SessionRules.ExpiresAt(session, options.SessionIdle, options.SessionLifetime);

    /// <summary>Takes those away that have ended.</summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        foreach (var ended in store.All<AccessSession>().Where(
            session => ExpiresAt(session) <= now
                || store.Known<AccessToken>(CredentialKeys.Token(session.TokenId)) is null))
        {
            await EndAsync(ended, cancel);
        }
    }

    private SessionVerdict Judge(AccessSession? session, SessionCookie cookie) => session is null
        ? SessionVerdict.Wrong
        : SessionRules.Judge(
            session, cookie.Secret, clock.GetUtcNow(), options.SessionIdle, options.SessionLifetime);

    // Of parallel requests one wins and sends the new cookie; the others are as good as before.
    private async Task RenewAsync(
        HttpContext context, SessionCookie cookie, AccessSession session, long revision, SessionVerdict verdict)
    {
        var now = clock.GetUtcNow();
        var fresh = verdict == SessionVerdict.Change ? Secret.NewSession() : null;
        var next = verdict switch
        {
            SessionVerdict.Change => SessionRules.Changed(session, cookie.Secret, fresh!, now),
            SessionVerdict.Confirm => SessionRules.Confirmed(session, now),
            SessionVerdict.Touch => SessionRules.Touched(session, now),
            _ => null,
        };
        if (next is null)
        {
            return;
        }

        try
        {
            var key = KeyOf(session);
            var won = await store.WriteAsync(
                [Compare.ModRevision(key).EqualTo(revision)],
                new Dictionary<string, IMessage?>(StringComparer.Ordinal) { [key] = next },
                context.RequestAborted);
            if (won && fresh is not null)
            {
                var left = DateTimeOffset.FromUnixTimeMilliseconds(session.CreatedAtUnixMs)
                    + options.SessionLifetime - now;
                new SessionCookie(session.TokenId, session.Id, fresh).Send(context, left);
            }
        }
        catch (HexcastException)
        {
            // The coordinator does not answer now. The request is good; the next one renews.
        }
    }

    private static string KeyOf(AccessSession session) => CredentialKeys.Session(session.TokenId, session.Id);
}
