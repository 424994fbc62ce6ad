using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Playback.Versions;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Playback.Tokens;

/// <summary>What a request may do, and what its answer depends on.</summary>
/// <param name="IsPublic">Everybody gets these bytes: shared caches may keep them.</param>
/// <param name="QueryToken">Came in the query, so a manifest's URIs carry it on; null: a cookie or nothing.</param>
internal readonly record struct Viewer(bool IsPublic, string? QueryToken);

internal sealed class ViewerAccess(PlaybackTokens tokens)
{
    public const string Cookie = "hexcast_play", QueryName = "token";

    /// <exception cref="HexcastException">token_missing, token_invalid, token_expired.</exception>
    public async ValueTask<Viewer> CheckAsync(HttpRequest request, PlayableVersion version)
    {
        if (version.Policy == AccessPolicy.Public)
        {
            return new Viewer(IsPublic: true, QueryToken: null);
        }

        var inQuery = request.Query.TryGetValue(QueryName, out var values) ? values.ToString() : null;
        if (string.IsNullOrEmpty(inQuery) && await IsSignedInAsync(request.HttpContext, version.Tenant))
        {
            return new Viewer(IsPublic: false, QueryToken: null);
        }

        var token = inQuery ?? request.Cookies[Cookie];
        if (string.IsNullOrEmpty(token))
        {
            // RFC 9110, 11.6.1 wants a challenge with a 401.
            request.HttpContext.Response.Headers.WWWAuthenticate = "HexcastToken";
            throw new HexcastException(
                ErrorCodes.TokenMissing,
                "This media needs a playback token. Ask for one: POST /v1/media/{id}/playback.");
        }

        await tokens.CheckAsync(token, version.MediaId, request.Path.Value!);
        return new Viewer(IsPublic: false, inQuery);
    }

    /// <summary>A person in the dashboard, whose pages show posters by their plain address. Programs show a token.
    /// </summary>
    private static async ValueTask<bool> IsSignedInAsync(HttpContext context, string tenant) =>
        await context.FindPrincipalAsync() is { Browser: true } person && person.Has(Scope.Read) && person.Sees(tenant);
}
