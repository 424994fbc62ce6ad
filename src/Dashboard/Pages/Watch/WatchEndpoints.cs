using System.Globalization;
using Hexcast.Dashboard.Rendering;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Hexcast.Platform.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Hexcast.Dashboard.Pages.Watch;

/// <summary>
/// The pages that play a media, for anybody whom its policy lets in, and what their script asks while it runs:
/// <code>
///   GET /watch/{id}         the page            GET /embed/{id}   the bare player, for other sites' frames
///   GET /watch/{id}/state   how the media is, and where it is played
/// </code>
/// </summary>
internal sealed class WatchEndpoints(
    Admission admission, PageRenderer pages, ILogger<WatchEndpoints> log)
{
    private const int SessionBytes = 4;

    /// <summary>RFC 5646, 4.4.1: no tag in use is longer.</summary>
    private const int LanguageLimit = 35;

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    public void Map(IEndpointRouteBuilder http)
    {
        http.MapMethods("/watch/{media_id}", Methods, WatchAsync)
            .DescribePage("Watch a media", WatchOperations.Page).AllowAnyone().Page();
        http.MapMethods("/embed/{media_id}", Methods, EmbedAsync)
            .DescribePage("Show the bare player, for other sites' frames", WatchOperations.Page)
            .AllowAnyone().Page(embeddable: true);
        http.MapGet("/watch/{media_id}/state", StateAsync)
            .Describe(ApiGroup.Playback, "Ask how a media is, and where it plays", WatchOperations.State)
            .AllowAnyone();
    }

    private Task WatchAsync(HttpContext context) => PageAsync<WatchPage>(context);

    private Task EmbedAsync(HttpContext context) => PageAsync<EmbedPage>(context);

    private async Task PageAsync<TPage>(HttpContext context)
        where TPage : Microsoft.AspNetCore.Components.IComponent
    {
        var view = await ViewAsync(context);
        if (view.Exists)
        {
            log.LogInformation("Viewer {Session} opens {MediaId}", view.Session, view.MediaId);
        }

        await pages.AnswerAsync<TPage>(context, new() { ["View"] = view }, view.Status);
    }

    private async Task<WatchView> ViewAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var view = new WatchView
        {
            MediaId = (string)context.Request.RouteValues["media_id"]!,
            Session = Convert.ToHexStringLower(IdSource.NewSecret(SessionBytes)),
            Query = query[Admission.TokenName].ToString() is { Length: > 0 } token
                ? QueryString.Create(Admission.TokenName, token).ToString()
                : "",
            Start = Seconds(query["t"]) ?? Seconds(query["start"]),
            End = Seconds(query["end"]),
            Autoplay = query["autoplay"] == "1",
            Muted = query["muted"] == "1",
            Loop = query["loop"] == "1",
            Bare = query["controls"] == "0",
            Language = query["lang"].ToString() is { Length: > 0 and <= LanguageLimit } language ? language : null,
        };
        try
        {
            return view.Of(await admission.AdmitAsync(context));
        }
        catch (HexcastException refused) when (refused.Code is ErrorCodes.NotFound or ErrorCodes.Unavailable
            or ErrorCodes.TokenMissing or ErrorCodes.TokenInvalid or ErrorCodes.TokenExpired)
        {
            return view with { Refusal = refused.Code, Status = ErrorCodes.HttpStatus(refused.Code) };
        }
    }

    // What is no time is none: a player with a slip in its address still plays.
    private static double? Seconds(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            && seconds is > 0 and < double.MaxValue ? seconds : null;

    private async Task StateAsync(HttpContext context)
    {
        var visit = await admission.AdmitAsync(context);
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(WatchState.Of(visit), context.RequestAborted);
    }
}
