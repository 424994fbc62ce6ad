using System.Text;
using Hexcast.Access.Credentials;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;

namespace Hexcast.Access.Http;

/// <summary>
/// Signing in and out. A script sends JSON and is answered with a status; a form without script is sent on to a page.
/// </summary>
internal sealed class SessionEndpoints(
    CredentialStore store, Authenticator authenticator, Sessions sessions, TimeProvider clock)
{
    private const int BodyLimitBytes = 8192, FormFieldLimit = 8;
    private const string SignInPage = "/sign-in";
    private const string Expected = "a JSON object with token";

    private readonly AttemptLimiter attempts = new(SignInLimits);

    /// <summary>Ten at once, then one in six seconds; all addresses together ten a second after a hundred.</summary>
    public static readonly AttemptLimits SignInLimits = new()
    {
        Burst = 10,
        RefillInterval = TimeSpan.FromSeconds(6),
        OverallBurst = 100,
        OverallRefillInterval = TimeSpan.FromMilliseconds(100),
    };

    public void Map(IEndpointRouteBuilder http)
    {
        http.MapPost("/v1/session", SignInAsync).AllowAnyone().Audited("session.begin")
            .Describe(ApiGroup.Access, "Sign in", AccessOperations.SignIn);
        http.MapGet("/v1/session", TellAsync).RequireSignIn()
            .Describe(ApiGroup.Access, "Ask who is signed in", AccessOperations.Tell);
        http.MapDelete("/v1/session", SignOutAsync).AllowAnyone().Audited("session.end")
            .Describe(ApiGroup.Access, "Sign out", AccessOperations.SignOut);
        http.MapPost("/sign-out", SignOutToPageAsync).AllowAnyone().Audited("session.end")
            .Describe(ApiGroup.Access, "Sign out from a form", AccessOperations.SignOutToPage);
    }

    private async Task SignInAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var (shown, next) = await ReadAsync(context.Request);
        try
        {
            await BeginAsync(context, shown);
        }
        catch (HexcastException refused) when (next is not null)
        {
            context.Audit().Outcome = refused.Code;
            var why = refused.Code switch
            {
                ErrorCodes.TooManyAttempts => "limited",
                ErrorCodes.CredentialInvalid or ErrorCodes.CredentialExpired => "failed",
                _ => "unavailable",
            };
            Redirect(context, $"{SignInPage}?{why}=1&next={Uri.EscapeDataString(next)}");
            return;
        }

        if (next is not null)
        {
            Redirect(context, next);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task BeginAsync(HttpContext context, string shown)
    {
        var source = AttemptLimiter.Source(context.Connection.RemoteIpAddress);
        var now = clock.GetUtcNow();
        try
        {
            // Before the token is looked at: over the limit a right guess is not told from a wrong one.
            if (!attempts.TryTake(source, now))
            {
                context.Audit().Unremarkable = true;
                throw Authenticator.TooMany(context, attempts.Wait(source, now));
            }

            var token = await authenticator.CheckTokenAsync(shown, context);
            context.Audit().Principal = Authenticator.PrincipalOf(token, sessionId: null);
            context.Audit().Target = token.Id;
            await EndPresentAsync(context);
            await sessions.BeginAsync(context, token);
        }
        catch (HexcastException refused)
        {
            AccessTelemetry.NoteSignIn(refused.Code);
            throw;
        }

        AccessTelemetry.NoteSignIn(refusal: null);
    }

    private async Task TellAsync(HttpContext context)
    {
        var principal = context.Principal();
        var token = store.Known<AccessToken>(CredentialKeys.Token(principal.Id));
        DateTimeOffset? expires = token is { ExpiresAtUnixMs: > 0 and var millis }
            ? DateTimeOffset.FromUnixTimeMilliseconds(millis) : null;
        if (principal.Browser && PresentSession(context) is { } session
            && (expires is null || sessions.ExpiresAt(session) < expires))
        {
            expires = sessions.ExpiresAt(session);
        }

        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(
            new SessionAnswer(
                principal.Name,
                [.. principal.Scopes.Order().Select(scope => scope.Name())],
                principal.Tenant,
                expires),
            context.RequestAborted);
    }

    private async Task SignOutAsync(HttpContext context)
    {
        await EndAsync(context);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task SignOutToPageAsync(HttpContext context)
    {
        await EndAsync(context);
        Redirect(context, SignInPage);
    }

    // Also for one whose session has ended meanwhile: it wants to be signed out, and is.
    private async Task EndAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Audit().Unremarkable = true;
        if (await context.FindPrincipalAsync() is { Browser: true } principal)
        {
            if (!SameOrigin.IsProven(context.Request))
            {
                throw new HexcastException(
                    ErrorCodes.CrossSite, "Another site's page made this request, or none of ours did.");
            }

            context.Audit().Principal = principal;
            context.Audit().Unremarkable = false;
            await EndPresentAsync(context);
        }

        SessionCookie.Remove(context);
    }

    // Who signs in again leaves no session behind that nobody holds a cookie of.
    private async Task EndPresentAsync(HttpContext context)
    {
        if (PresentSession(context) is { } session)
        {
            await sessions.EndAsync(session, context.RequestAborted);
        }
    }

    private AccessSession? PresentSession(HttpContext context)
    {
        var cookie = SessionCookie.Read(context.Request, out _);
        var session = cookie is null ? null
            : store.Known<AccessSession>(CredentialKeys.Session(cookie.TokenId, cookie.SessionId));
        return session is not null && (cookie!.Secret.Matches(session.SecretSha256.Span)
            || (session.PreviousSha256.Length > 0 && cookie.Secret.Matches(session.PreviousSha256.Span)))
            ? session : null;
    }

    /// <returns>A form's <c>next</c>, made harmless; null: it was JSON.</returns>
    private static async Task<(string Token, string? Next)> ReadAsync(HttpRequest request)
    {
        if (!request.HasFormContentType)
        {
            if (!request.HasJsonContentType())
            {
                throw new HexcastException(
                    ErrorCodes.UnsupportedMediaType, "Send Content-Type: application/json, or a form.");
            }

            var json = await JsonBody.ReadAsync<SignInRequest>(request, BodyLimitBytes, Expected);
            return (json.Token?.Trim() ?? "", null);
        }

        var body = await JsonBody.ReadBytesAsync(request, BodyLimitBytes);
        using var text = new FormReader(Encoding.UTF8.GetString(body.Span)) { ValueCountLimit = FormFieldLimit };
        try
        {
            var form = text.ReadForm();
            return (
                form.TryGetValue("token", out var token) ? token.ToString().Trim() : "",
                LocalPath.OrHome(form.TryGetValue("next", out var next) ? next.ToString() : null));
        }
        catch (InvalidDataException bad)
        {
            throw new HexcastException(ErrorCodes.InvalidArgument, $"The form cannot be read: {bad.Message}");
        }
    }

    private static void Redirect(HttpContext context, string path)
    {
        context.Response.Headers.Location = path;
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
    }
}
