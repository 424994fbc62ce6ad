using Hexcast.Platform.Errors;
using Hexcast.Platform.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.Access;

/// <summary>
/// Stands between routing and the endpoints:
/// <code>
///   1 rule → anyone? on     2 credential → principal     3 cookie and unsafe → made by our own page?
///   4 scope, tenant         5 the endpoint               6 audited → entry, before the answer leaves
/// </code>
/// A page's visitor who fails 2 or 4 is sent to the sign-in page; everybody else gets the problem.
/// </summary>
internal sealed class AccessGate(IServiceProvider services, TimeProvider clock)
{
    public const string SignInPath = "/sign-in";

    /// <summary>What is worth a line in the audit log when it is refused.</summary>
    private static readonly string[] AuditedRefusals =
        [ErrorCodes.CredentialInvalid, ErrorCodes.CredentialExpired, ErrorCodes.ScopeMissing, ErrorCodes.CrossSite];

    private readonly AttemptLimiter refusals = new(RefusalLimits);

    private static readonly AttemptLimits RefusalLimits = new()
    {
        Burst = 20,
        RefillInterval = TimeSpan.FromSeconds(10),
        OverallBurst = 200,
        OverallRefillInterval = TimeSpan.FromSeconds(1),
    };

    private readonly ResponseHeaders headers = new(services.GetRequiredService<TlsOptions>());
    private readonly IAuthenticator? authenticator = services.GetService<IAuthenticator>();
    private readonly IAuditLog? audit = services.GetService<IAuditLog>();

    public static void Use(IApplicationBuilder app)
    {
        AccessTelemetry.Zero();
        var gate = ActivatorUtilities.CreateInstance<AccessGate>(app.ApplicationServices);
        app.Use(gate.PassAsync);
    }

    private Task PassAsync(HttpContext context, RequestDelegate next)
    {
        headers.Set(context);
        // Without a route nothing is reached: routing's own answers say "no such path", "no such method".
        if (context.GetEndpoint() is not RouteEndpoint endpoint)
        {
            return next(context);
        }

        var rule = endpoint.Metadata.GetMetadata<AccessRule>()
            ?? throw new InvalidOperationException($"Nothing says who may call {endpoint.DisplayName}.");
        return rule.Anyone && endpoint.Metadata.GetMetadata<AuditRule>() is null
            && SameOrigin.IsSafe(context.Request.Method)
            ? next(context)
            : PassAsync(context, next, endpoint, rule);
    }

    private async Task PassAsync(HttpContext context, RequestDelegate next, Endpoint endpoint, AccessRule rule)
    {
        try
        {
            await AdmitAsync(context, rule);
        }
        catch (HexcastException refused)
        {
            AccessTelemetry.NoteRefusal(refused.Code);
            await AuditRefusalAsync(context, endpoint, refused.Code);
            if (endpoint.Metadata.GetMetadata<PageRule>() is not null && SendsToSignIn(refused.Code))
            {
                SendToSignIn(context, refused.Code);
                return;
            }

            throw;
        }

        if (context.Features.Get<Principal>() is { } principal)
        {
            await RunUntilAsync(
                context, next, endpoint, await authenticator!.EndOfAsync(principal, context.RequestAborted));
        }
        else
        {
            await RunAuditedAsync(context, next, endpoint);
        }
    }

    // Whoever is out is out: an event stream or a long upload ends with its token or session.
    private async Task RunUntilAsync(
        HttpContext context, RequestDelegate next, Endpoint endpoint, CancellationToken credentialEnds)
    {
        var client = context.RequestAborted;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(client, credentialEnds);
        context.RequestAborted = either.Token;
        try
        {
            await RunAuditedAsync(context, next, endpoint);
        }
        catch (OperationCanceledException) when (
            credentialEnds.IsCancellationRequested && !client.IsCancellationRequested)
        {
            throw new HexcastException(
                ErrorCodes.CredentialInvalid, "The token was revoked, the session signed out, or its time was over.");
        }
        finally
        {
            context.RequestAborted = client;
        }
    }

    private async Task RunAuditedAsync(HttpContext context, RequestDelegate next, Endpoint endpoint)
    {
        if (audit is null || endpoint.Metadata.GetMetadata<AuditRule>() is not { } audited)
        {
            await next(context);
            return;
        }

        var trail = new AuditTrail(audited.Action, audit, clock);
        context.Features.Set(trail);
        context.Response.OnStarting(() => trail.WriteAsync(context));
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client left and gets no answer, but what it began may have happened.
            trail.Outcome ??= ErrorCodes.Cancelled;
            await trail.WriteAsync(context);
            throw;
        }
    }

    private async Task AdmitAsync(HttpContext context, AccessRule rule)
    {
        var unsafeMethod = !SameOrigin.IsSafe(context.Request.Method);
        if (rule.Anyone)
        {
            // Signing in from another site's page would put its visitor into that site's account.
            if (unsafeMethod && SameOrigin.IsDenied(context.Request))
            {
                throw CrossSite();
            }

            return;
        }

        if (authenticator is null)
        {
            throw new HexcastException(
                ErrorCodes.Unavailable, "Nobody on this node knows credentials: start the role access too.");
        }

        var principal = await authenticator.AuthenticateAsync(context, mayRenew: true)
            ?? throw Challenge(context, "Bearer", new HexcastException(
                ErrorCodes.Unauthenticated,
                "This needs a credential: send Authorization: Bearer TOKEN, or sign in."));
        context.Features.Set(principal);
        if (principal.Browser && unsafeMethod && !SameOrigin.IsProven(context.Request))
        {
            throw CrossSite();
        }

        if (rule.Scope is { } scope)
        {
            principal.Require(scope);
        }

        if (rule.EveryTenant && principal.Tenant is not null)
        {
            throw new HexcastException(
                ErrorCodes.ScopeMissing,
                $"This is about the whole platform; the token '{principal.Name}' is for one tenant.");
        }
    }

    private async Task AuditRefusalAsync(HttpContext context, Endpoint endpoint, string code)
    {
        if (code is ErrorCodes.CredentialInvalid or ErrorCodes.CredentialExpired)
        {
            // RFC 6750, 3.1.
            context.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
        }

        var who = context.Features.Get<Principal>()?.Id ?? AttemptLimiter.Source(context.Connection.RemoteIpAddress);
        if (audit is null || !AuditedRefusals.Contains(code, StringComparer.Ordinal)
            || !refusals.TryTake(who, clock.GetUtcNow()))
        {
            return;
        }

        var action = endpoint.Metadata.GetMetadata<AuditRule>()?.Action
            ?? $"{context.Request.Method} {(endpoint as RouteEndpoint)?.RoutePattern.RawText}";
        await audit.WriteAsync(new AuditTrail(action, audit, clock).EntryOf(context, code));
    }

    private static bool SendsToSignIn(string code) => code is ErrorCodes.Unauthenticated
        or ErrorCodes.CredentialInvalid or ErrorCodes.CredentialExpired or ErrorCodes.ScopeMissing;

    private static void SendToSignIn(HttpContext context, string code)
    {
        var request = context.Request;
        var next = Uri.EscapeDataString($"{request.Path.ToUriComponent()}{request.QueryString.ToUriComponent()}");
        var denied = code == ErrorCodes.ScopeMissing ? "denied=1&" : "";
        context.Response.Headers.WWWAuthenticate = default;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Location = $"{SignInPath}?{denied}next={next}";
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
    }

    private static HexcastException Challenge(HttpContext context, string challenge, HexcastException refusal)
    {
        context.Response.Headers.WWWAuthenticate = challenge;
        return refusal;
    }

    private static HexcastException CrossSite() => new(
        ErrorCodes.CrossSite,
        "Another site's page made this request, or none of ours did. Send it from a page of this server, or with " +
        "a token.");
}
