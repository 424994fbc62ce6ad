using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Pages.Watch;

/// <summary>A viewer who was let in.</summary>
/// <param name="MayRead">Signed in, and sees the media in the dashboard too.</param>
internal sealed record Visit(Wire.ListedMedia Listed, Wire.PlaybackLinks Links, bool MayRead)
{
    public bool IsPlayable => Listed.Media.State is Wire.MediaState.Playable or Wire.MediaState.Ready;

    public string? Poster => IsPlayable && Listed.HasPoster ? Links.Poster : null;
}

/// <summary>
/// Who may watch: anybody a public media, and a signed one whoever shows a token for it, or is signed in and may read
/// it.
/// </summary>
internal sealed class Admission(Wire.Catalog.CatalogClient catalog, Wire.Playback.PlaybackClient playback)
{
    public const string TokenName = "token";

    /// <exception cref="HexcastException">
    /// not_found, unavailable, token_missing, token_invalid, token_expired.
    /// </exception>
    public async Task<Visit> AdmitAsync(HttpContext context)
    {
        if (!MediaId.TryParse((string?)context.Request.RouteValues["media_id"], out var mediaId))
        {
            throw NoMedia();
        }

        var cancel = context.RequestAborted;
        try
        {
            var found = await catalog.ListMediaAsync(
                new Wire.ListMediaRequest { MediaIds = { mediaId.ToString() } }, cancellationToken: cancel);
            var listed = found.Media.SingleOrDefault() ?? throw NoMedia();
            var mayRead = await context.FindPrincipalAsync() is { } principal
                && principal.Has(Scope.Read) && principal.Sees(listed.Media.Tenant);
            var links = await playback.GetLinksAsync(
                new Wire.GetLinksRequest
                {
                    MediaId = mediaId.ToString(),
                    Token = context.Request.Query[TokenName].ToString(),
                    Vouched = mayRead,
                },
                cancellationToken: cancel);
            return new Visit(listed, links, mayRead);
        }
        catch (RpcException failure)
        {
            throw GrpcErrors.Unwrap(failure);
        }
    }

    private static HexcastException NoMedia() => new(ErrorCodes.NotFound, "There is no such video.");
}
