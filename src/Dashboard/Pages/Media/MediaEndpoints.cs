using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Dashboard.Pages.Watch;
using Hexcast.Dashboard.Rendering;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Dashboard.Pages.Media;

/// <summary>GET /media/{id}: one media and all that can be done with it.</summary>
internal sealed class MediaEndpoints(Admission admission, PageRenderer pages)
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    public void Map(IEndpointRouteBuilder http) =>
        http.MapMethods("/media/{media_id}", Methods, PageAsync)
            .DescribePage("Show the page of a media", page => page
                .Path("media_id", Value.MediaId(), "of the media")
                .Answers(404, "a page that says so", "text/html"))
            .RequireScope(Scope.Read).Page();

    private async Task PageAsync(HttpContext context)
    {
        var visit = await VisitAsync(context);
        if (visit is null)
        {
            await pages.AnswerAsync<MissingPage>(context, [], StatusCodes.Status404NotFound);
            return;
        }

        await pages.AnswerAsync<MediaPage>(context, new()
        {
            [nameof(MediaPage.Media)] = visit.Listed.Media,
            [nameof(MediaPage.Poster)] = visit.Poster,
        });
    }

    private async Task<Visit?> VisitAsync(HttpContext context)
    {
        try
        {
            var visit = await admission.AdmitAsync(context);
            // A public media of another tenant may be watched, but there is no page of it here.
            return visit.MayRead ? visit : null;
        }
        catch (HexcastException refused) when (refused.Code is ErrorCodes.NotFound
            or ErrorCodes.TokenMissing or ErrorCodes.TokenInvalid or ErrorCodes.TokenExpired)
        {
            return null;
        }
    }
}
