using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Platform.Access;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Playback.Watch;

/// <summary>GET /watch/{media_id}: the player page. It is whole without script, which then brings it to life.</summary>
internal sealed class WatchEndpoints(Wire.Catalog.CatalogClient catalog, WatchAssets assets)
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    public void Map(IEndpointRouteBuilder http)
    {
        http.MapMethods("/watch/{media_id}", Methods, WatchAsync).AllowAnyone().Page()
            .DescribePage("Watch a media", watch => watch.Path("media_id", Value.MediaId(), "of the media"));
        http.MapMethods(WatchAssets.Route, Methods, assets.ServeAsync).AllowAnyone().ExcludeFromDescription();
    }

    private async Task WatchAsync(HttpContext context)
    {
        var view = await ViewAsync((string)context.Request.RouteValues["media_id"]!, context.RequestAborted);
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        context.Response.StatusCode = view.State switch
        {
            WatchState.Unknown => StatusCodes.Status404NotFound,
            WatchState.Unavailable => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status200OK,
        };
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(WatchPage.Render(view, assets).ToString(), context.RequestAborted);
    }

    private async Task<WatchView> ViewAsync(string mediaId, CancellationToken cancel)
    {
        if (!MediaId.TryParse(mediaId, out var id))
        {
            return new WatchView("", WatchState.Unknown);
        }

        try
        {
            var media = await catalog.GetMediaAsync(
                new Wire.GetMediaRequest { MediaId = id.ToString() }, cancellationToken: cancel);
            return WatchView.Of(media);
        }
        catch (RpcException failure) when (failure.StatusCode == StatusCode.NotFound)
        {
            return new WatchView(mediaId, WatchState.Unknown);
        }
        catch (RpcException failure) when (failure.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
        {
            return new WatchView(mediaId, WatchState.Unavailable);
        }
    }
}
