using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.OpenApi;

namespace Hexcast.Platform.Http;

/// <summary>Who may call an operation, as its endpoint declares it, in the document's words.</summary>
internal sealed class ApiAccess(AccessRule rule, bool isPage)
{
    public const string TokenScheme = "token", SessionScheme = "session";

    private static readonly string[] WithoutCredential =
        [ErrorCodes.Unauthenticated, ErrorCodes.CredentialInvalid, ErrorCodes.CredentialExpired];

    /// <summary>A page answers who may not see it with the way to the sign-in page.</summary>
    public bool SendsToSignIn => isPage && !rule.Anyone;

    public static ApiAccess Of(ApiDescription description)
    {
        var metadata = description.ActionDescriptor.EndpointMetadata;
        return new ApiAccess(metadata.OfType<AccessRule>().Last(), metadata.OfType<PageRule>().Any());
    }

    /// <summary>One of the two is enough; which scope it must have stands beside it.</summary>
    public List<OpenApiSecurityRequirement> Requirements(OpenApiDocument document)
    {
        List<string> scopes = rule.Scope is { } scope ? [scope.Name()] : [];
        return rule.Anyone
            ? []
            : [
                new() { [new OpenApiSecuritySchemeReference(TokenScheme, document)] = scopes },
                new() { [new OpenApiSecuritySchemeReference(SessionScheme, document)] = scopes },
            ];
    }

    public IEnumerable<string> Failures(string method)
    {
        if (!SameOrigin.IsSafe(method))
        {
            yield return ErrorCodes.CrossSite;
        }

        if (rule.Anyone || SendsToSignIn)
        {
            yield break;
        }

        foreach (var code in WithoutCredential.Append(ErrorCodes.TooManyAttempts))
        {
            yield return code;
        }

        if (rule.Scope is not null || rule.EveryTenant)
        {
            yield return ErrorCodes.ScopeMissing;
        }
    }

    public static void AddSchemes(OpenApiDocument document)
    {
        document.AddComponent<IOpenApiSecurityScheme>(TokenScheme, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "An API token, `hxc_…`.",
        });
        document.AddComponent<IOpenApiSecurityScheme>(SessionScheme, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Cookie,
            Name = "hexcast_session",
            Description = "A browser that is signed in; over TLS the name begins with `__Host-`. Methods other than " +
                "GET, HEAD and OPTIONS must come from a page of this server.",
        });
    }
}
