using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Platform.Access;

/// <summary>Refuses to start with an endpoint that nobody has thought about.</summary>
internal static class DeclarationCheck
{
    /// <exception cref="InvalidOperationException">Names the endpoints and what they lack.</exception>
    public static void Require(IEndpointRouteBuilder http)
    {
        var undeclared = http.DataSources.SelectMany(source => source.Endpoints)
            .Where(e => e.Metadata.GetMetadata<AccessRule>() is null).ToList();
        if (undeclared.Count > 0)
        {
            throw new InvalidOperationException(
                $"Nothing says who may call {Names(undeclared)}. Declare RequireScope, RequireSignIn or AllowAnyone.");
        }
    }

    private static string Names(IEnumerable<Endpoint> endpoints) =>
        string.Join(", ", endpoints.Select(e => e.DisplayName));
}
