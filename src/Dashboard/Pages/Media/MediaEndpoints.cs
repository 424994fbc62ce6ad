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
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Pages.Media;

/// <summary>GET /media/{id}: one media and all that can be done with it.</summary>
internal sealed class MediaEndpoints(
    Admission admission, Wire.Catalog.CatalogClient catalog, Wire.Scheduler.SchedulerClient scheduler,
    PageRenderer pages, TimeProvider clock)
{
    /// <summary>The page comes without what others do not tell by then; its script asks for it again.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

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
            [nameof(MediaPage.View)] = await ViewAsync(visit, context.RequestAborted),
        });
    }

    private async Task<MediaView> ViewAsync(Visit visit, CancellationToken cancel)
    {
        var media = visit.Listed.Media;
        var now = clock.GetUtcNow();
        var deadline = (now + Limit).UtcDateTime;
        var job = media.JobId.Length == 0 ? null : KnownAsync(() => scheduler.GetJobAsync(
            new Wire.GetJobRequest { JobId = media.JobId }, deadline: deadline, cancellationToken: cancel), cancel);
        var version = !visit.IsPlayable ? null : KnownAsync(() => catalog.GetVersionIndexAsync(
            new Wire.GetVersionIndexRequest { MediaId = media.MediaId }, deadline: deadline,
            cancellationToken: cancel), cancel);
        return new MediaView
        {
            Media = media,
            Poster = visit.Poster,
            Job = job is null ? null : await job,
            Renditions = version is null || await version is not { } index
                ? null
                : [.. index.Renditions.Select(RenditionView.Of).OrderByDescending(rendition => rendition.Height)],
            Now = now,
        };
    }

    private static async Task<T?> KnownAsync<T>(Func<AsyncUnaryCall<T>> ask, CancellationToken cancel)
        where T : class
    {
        try
        {
            return await ask();
        }
        catch (RpcException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
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
