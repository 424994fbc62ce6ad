using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;
using Hexcast.Playback.Tokens;
using Hexcast.Playback.Versions;

namespace Hexcast.Playback;

/// <summary>What the other roles ask of Playback.</summary>
internal sealed class PlaybackService(
    Contracts.V1.Catalog.CatalogClient catalog, VersionCache versions, PlaybackTokens tokens, PlaybackOptions options)
    : Contracts.V1.Playback.PlaybackBase
{
    public override async Task<PlaybackLinks> GetLinks(GetLinksRequest request, ServerCallContext context)
    {
        if (!MediaId.TryParse(request.MediaId, out var mediaId))
        {
            throw new HexcastException(ErrorCodes.NotFound, "This is no media id.");
        }

        var media = await GetMediaAsync(mediaId, context.CancellationToken);
        var version = await versions.FindAsync(mediaId, context.CancellationToken);
        var root = PlaybackTokens.PathOf(mediaId);
        if (IndexConversion.ToPolicy(media.Policy) == AccessPolicy.Public)
        {
            return ToWire(LinksAnswer.To(root, query: "", version, "public", expiresAt: null, token: null));
        }

        var (token, expiresAt) = await TokenAsync(request, mediaId);
        return ToWire(LinksAnswer.To(
            root, $"?{ViewerAccess.QueryName}={token}", version, "signed", expiresAt, token));
    }

    private async Task<(string Token, DateTimeOffset ExpiresAt)> TokenAsync(GetLinksRequest request, MediaId mediaId)
    {
        // A person who is let in anyway is not held up by an old link.
        if (request.Vouched)
        {
            return tokens.Issue(mediaId, options.TokenLifetime);
        }

        if (request.Token.Length == 0)
        {
            throw new HexcastException(ErrorCodes.TokenMissing, "This media needs a playback token.");
        }

        return (request.Token, await tokens.CheckAsync(request.Token, mediaId, PlaybackTokens.PathOf(mediaId)));
    }

    private static PlaybackLinks ToWire(LinksAnswer links) => new()
    {
        Policy = links.Policy,
        ExpiresAt = links.ExpiresAt?.ToTimestamp(),
        Hls = links.Hls,
        Dash = links.Dash,
        Poster = links.Poster,
        Storyboard = links.Storyboard ?? "",
    };

    private async Task<MediaRecord> GetMediaAsync(MediaId mediaId, CancellationToken cancel)
    {
        try
        {
            return await catalog.GetMediaAsync(
                new GetMediaRequest { MediaId = mediaId.ToString() }, cancellationToken: cancel);
        }
        catch (RpcException failure)
        {
            throw GrpcErrors.Unwrap(failure);
        }
    }
}
