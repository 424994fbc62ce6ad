using System.Security.Cryptography;
using Google.Protobuf;
using Hexcast.Contracts.V1;

namespace Hexcast.Access.Credentials;

internal enum SessionVerdict
{
    /// <summary>No secret of this session, or one that it no longer has.</summary>
    Wrong,

    /// <summary>It was one, and has ended.</summary>
    Expired,

    Valid,

    /// <summary>Valid, and the record is to say that it was used.</summary>
    Touch,

    /// <summary>Valid, and shown for the first time since the change: now the secret before it may go.</summary>
    Confirm,

    /// <summary>Valid, and old: the answer carries a new secret.</summary>
    Change,
}

/// <summary>
/// A session's secret changes as it is used, so that a copied cookie is soon worth nothing:
/// <code>
///   present ──10 min──▶ changed: the new one is sent, the one before still good
///                       ├─ the new one comes back ─▶ confirmed ──1 min──▶ the one before is refused
///                       └─ only the one before comes, for 1 min: the answer was lost ─▶ changed again
/// </code>
/// Requests that were on their way with the secret before are let in for that minute: parallel requests sign nobody
/// out.
/// </summary>
internal static class SessionRules
{
    public static readonly TimeSpan ChangeAfter = TimeSpan.FromMinutes(10), Grace = TimeSpan.FromMinutes(1);

    /// <summary>How far <c>seen</c> may lag, which is what a busy session costs in writes.</summary>
    public static readonly TimeSpan SeenCoarseness = TimeSpan.FromMinutes(5);

    public static SessionVerdict Judge(
        AccessSession session, Secret shown, DateTimeOffset now, TimeSpan idle, TimeSpan lifetime)
    {
        var isPresent = shown.Matches(session.SecretSha256.Span);
        var isPrevious = session.PreviousSha256.Length > 0 && shown.Matches(session.PreviousSha256.Span);
        if (!isPresent && !isPrevious)
        {
            return SessionVerdict.Wrong;
        }

        var millis = now.ToUnixTimeMilliseconds();
        if (ExpiresAt(session, idle, lifetime) <= now)
        {
            return SessionVerdict.Expired;
        }

        var sinceChange = TimeSpan.FromMilliseconds(millis - session.ChangedAtUnixMs);
        var confirmed = session.ConfirmedAtUnixMs > 0;
        if (isPrevious)
        {
            return confirmed
                ? TimeSpan.FromMilliseconds(millis - session.ConfirmedAtUnixMs) < Grace
                    ? SessionVerdict.Valid : SessionVerdict.Wrong
                : sinceChange < Grace ? SessionVerdict.Valid : SessionVerdict.Change;
        }

        return sinceChange >= ChangeAfter ? SessionVerdict.Change
            : session.PreviousSha256.Length > 0 && !confirmed ? SessionVerdict.Confirm
            : millis - session.SeenAtUnixMs >= SeenCoarseness.TotalMilliseconds ? SessionVerdict.Touch
            : SessionVerdict.Valid;
    }

    public static DateTimeOffset ExpiresAt(AccessSession session, TimeSpan idle, TimeSpan lifetime)
    {
        var unused = DateTimeOffset.FromUnixTimeMilliseconds(session.SeenAtUnixMs) + idle;
        var old = DateTimeOffset.FromUnixTimeMilliseconds(session.CreatedAtUnixMs) + lifetime;
        return unused < old ? unused : old;
    }

    public static AccessSession Touched(AccessSession session, DateTimeOffset now)
    {
        var next = session.Clone();
        next.SeenAtUnixMs = now.ToUnixTimeMilliseconds();
        return next;
    }

    public static AccessSession Confirmed(AccessSession session, DateTimeOffset now)
    {
        var next = Touched(session, now);
        next.ConfirmedAtUnixMs = next.SeenAtUnixMs;
        return next;
    }

    /// <param name="shown">What the browser has: it stays good until the new one comes back.</param>
    public static AccessSession Changed(AccessSession session, Secret shown, Secret to, DateTimeOffset now)
    {
        var next = Touched(session, now);
        next.PreviousSha256 = ByteString.CopyFrom(shown.Hash);
        next.SecretSha256 = ByteString.CopyFrom(to.Hash);
        next.ChangedAtUnixMs = next.SeenAtUnixMs;
        next.ConfirmedAtUnixMs = 0;
        return next;
    }
}
