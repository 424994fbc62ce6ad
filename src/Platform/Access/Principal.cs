using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.Access;

/// <summary>Who a request comes from.</summary>
/// <param name="Id">Of the credential: a token's id, also where the browser's session stands for it.</param>
/// <param name="Name">What its maker called it.</param>
/// <param name="Tenant">Whose media it sees; null is every tenant's.</param>
/// <param name="SessionId">Of the browser's session that a cookie stands for; null: the token itself was shown.</param>
public sealed record Principal(string Id, string Name, IReadOnlySet<Scope> Scopes, string? Tenant, string? SessionId)
{
    /// <summary>Where media without a tenant of their own are.</summary>
    public const string DefaultTenant = "default";

    /// <summary>It came as a cookie, which a browser also sends when another site makes the request.</summary>
    public bool Browser => SessionId is not null;

    /// <summary>Where what this one makes belongs.</summary>
    public string OwnTenant => Tenant ?? DefaultTenant;

    /// <exception cref="HexcastException">scope_missing</exception>
    public void Require(Scope scope)
    {
        if (!Has(scope))
        {
            throw new HexcastException(
                ErrorCodes.ScopeMissing,
                $"This needs the scope {scope.Name()}, which the token '{Name}' does not have.");
        }
    }

    public bool Has(Scope scope) => Scopes.Contains(scope) || Scopes.Contains(Scope.Admin);

    /// <summary>False: for this one it does not exist, which is what it is to be told.</summary>
    public bool Sees(string tenant) => Tenant is null || string.Equals(Tenant, tenant, StringComparison.Ordinal);
}

public static class Principals
{
    /// <summary>Who was let in. Only for endpoints that require somebody.</summary>
    public static Principal Principal(this HttpContext context) =>
        context.Features.Get<Principal>() ?? throw new InvalidOperationException(
            $"{context.Request.Path} asks who calls and requires nobody: declare RequireScope or RequireSignIn.");

    /// <summary>
    /// Who calls an endpoint that is open to anyone; null where no credential came, or one that is worth nothing.
    /// </summary>
    public static async ValueTask<Principal?> FindPrincipalAsync(this HttpContext context)
    {
        if (context.Features.Get<Principal>() is { } known)
        {
            return known;
        }

        try
        {
            var found = context.RequestServices.GetService<IAuthenticator>() is { } authenticator
                ? await authenticator.AuthenticateAsync(context, mayRenew: false)
                : null;
            context.Features.Set(found);
            return found;
        }
        catch (HexcastException refused) when (refused.Code is ErrorCodes.CredentialInvalid
            or ErrorCodes.CredentialExpired or ErrorCodes.TooManyAttempts or ErrorCodes.Unavailable)
        {
            return null;
        }
    }

    /// <summary>For an endpoint that is open to anyone in some cases, in the others.</summary>
    /// <exception cref="HexcastException">unauthenticated, scope_missing</exception>
    public static async Task<Principal> RequireScopeAsync(this HttpContext context, Scope scope)
    {
        var principal = await context.FindPrincipalAsync();
        if (principal is null)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            throw new HexcastException(ErrorCodes.Unauthenticated, "This needs a credential that is good.");
        }

        principal.Require(scope);
        return principal;
    }
}
