using Microsoft.AspNetCore.Http;

namespace Hexcast.Access.Credentials;

/// <summary>What a browser holds: token, session and secret. Without the secret it is worth nothing.</summary>
internal sealed record SessionCookie(string TokenId, string SessionId, Secret Secret)
{
    private const string PlainName = "hexcast_session";

    // RFC 6265bis, 4.1.3.2: no sibling domain and no unprotected connection can set or overwrite it.
    private const string SecureName = "__Host-" + PlainName;

    private const int LengthLimit = 128;

    /// <summary>Null: there is none. A cookie of another form is <paramref name="malformed"/>.</summary>
    public static SessionCookie? Read(HttpRequest request, out bool malformed)
    {
        malformed = false;
        var text = request.Cookies[NameFor(request)];
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        malformed = true;
        if (text.Length > LengthLimit || text.Split('.') is not [var token, var session, var rest]
            || !Secret.IsId(token) || !Secret.IsId(session) || !Secret.TryParseSession(rest, out var secret))
        {
            return null;
        }

        malformed = false;
        return new SessionCookie(token, session, secret);
    }

    public void Send(HttpContext context, TimeSpan lifetime) => context.Response.Cookies.Append(
        NameFor(context.Request), $"{TokenId}.{SessionId}.{Secret.Text}", Attributes(context.Request, lifetime));

    public static void Remove(HttpContext context) =>
        context.Response.Cookies.Append(NameFor(context.Request), "", Attributes(context.Request, TimeSpan.Zero));

    private static string NameFor(HttpRequest request) => request.IsHttps ? SecureName : PlainName;

    private static CookieOptions Attributes(HttpRequest request, TimeSpan lifetime) => new()
    {
        HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = request.IsHttps, Path = "/", MaxAge = lifetime,
    };
}
