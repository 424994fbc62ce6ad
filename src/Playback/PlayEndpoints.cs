using System.Globalization;
using Hexcast.Contracts;
using Hexcast.Media.Manifests;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Hexcast.Platform.Telemetry;
using Hexcast.Playback.Manifests;
using Hexcast.Playback.Segments;
using Hexcast.Playback.Tokens;
using Hexcast.Playback.Versions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Playback;

/// <summary>
/// Everything under /play, which is what players and CDNs see:
/// <code>
///   1 path → media    2 media → newest version (VersionCache)    3 version's policy + token → viewer
///   4 version → manifest, made once a revision; or segment → (object, offset, length)    5 bytes
/// </code>
/// </summary>
internal sealed class PlayEndpoints(
    VersionCache versions, ViewerAccess access, ObjectResponse objects, FirstPlays firstPlays, TimeProvider clock)
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    public void Map(IEndpointRouteBuilder http)
    {
        // The media's policy decides: ViewerAccess.
        var play = http.MapGroup("/play/{media_id}").AllowAnyone().Untraced();
        play.MapMethods("/master.m3u8", Methods, c => Manifest(c, ManifestRenderer.HlsMaster))
            .Describe(ApiGroup.Playback, "Get the HLS master playlist", PlayOperations.HlsMaster);
        play.MapMethods("/manifest.mpd", Methods, c => Manifest(c, ManifestRenderer.Dash))
            .Describe(ApiGroup.Playback, "Get the DASH manifest", PlayOperations.Dash);
        play.MapMethods("/poster.jpg", Methods, Poster)
            .Describe(ApiGroup.Playback, "Get the poster", PlayOperations.Poster);
        play.MapMethods("/storyboard.vtt", Methods, Storyboard)
            .Describe(ApiGroup.Playback, "Get the storyboard", PlayOperations.Storyboard);
        play.MapMethods("/{version}/storyboard/{sheet}.jpg", Methods, StoryboardSheet)
            .Describe(ApiGroup.Playback, "Get a sheet of the storyboard", PlayOperations.StoryboardSheet);
        play.MapMethods("/{version}/{rendition}/" + DashManifest.TextFileName, Methods, Subtitles)
            .Describe(ApiGroup.Playback, "Get a text track", PlayOperations.Subtitles);
        play.MapMethods("/{version}/{rendition}/index.m3u8", Methods, MediaPlaylist)
            .Describe(ApiGroup.Playback, "Get an HLS media playlist", PlayOperations.HlsMedia);
        play.MapMethods("/{version}/{rendition}/init.mp4", Methods, InitSegment)
            .Describe(ApiGroup.Playback, "Get an initialization segment", PlayOperations.InitSegment);
        play.MapMethods("/{version}/{rendition}/{segment}.m4s", Methods, Segment)
            .Describe(ApiGroup.Playback, "Get a segment", PlayOperations.Segment);
        http.MapMethods("/play/{**path}", [HttpMethods.Options], Preflight).AllowAnyone().Untraced()
            .Describe(ApiGroup.Playback, "Ask as a browser before it asks", PlayOperations.Preflight);
        http.MapMethods("/play/{**path}", Methods, context =>
        {
            AllowOrigins(context.Response);
            throw NotHere();
        }).AllowAnyone().Untraced().ExcludeFromDescription();
    }

    private async Task Manifest(HttpContext context, Func<PlayableVersion, ManifestBytes> get)
    {
        var started = clock.GetTimestamp();
        var (version, viewer) = await OpenAsync(context);
        // The next version comes under the same address, so no copy is used without asking.
        await SendManifestAsync(context, get(version), viewer.QueryToken, Revalidated(viewer));
        NoteServed(version, PlaybackTelemetry.Manifest, started);
    }

    private async Task MediaPlaylist(HttpContext context)
    {
        var started = clock.GetTimestamp();
        var (version, viewer) = await OpenAsync(context);
        var id = RouteText(context, "rendition");
        var isText = RouteText(context, "version") == version.Version && version.Subtitles.ContainsKey(id);
        if (!isText)
        {
            RequireRendition(context, version);
        }

        await SendManifestAsync(
            context,
            isText ? ManifestRenderer.HlsSubtitles(version) : ManifestRenderer.HlsMedia(version, id),
            viewer.QueryToken,
            version.Index.Complete ? Immutable(viewer) : Revalidated(viewer));
        NoteServed(version, PlaybackTelemetry.Manifest, started);
    }

    private async Task InitSegment(HttpContext context)
    {
        var started = clock.GetTimestamp();
        var (version, viewer) = await OpenAsync(context);
        var rendition = RequireRendition(context, version);
        await objects.SendAsync(context, rendition.Init, rendition.ContentType, Immutable(viewer));
        NoteServed(version, PlaybackTelemetry.Init, started);
    }

    private async Task Segment(HttpContext context)
    {
        var started = clock.GetTimestamp();
        var (version, viewer) = await OpenAsync(context);
        var rendition = RequireRendition(context, version);
        var slice = Number(RouteText(context, "segment")) is { } number ? rendition.Segment(number) : null;
        await objects.SendAsync(context, slice ?? throw NotHere(), rendition.ContentType, Immutable(viewer));
        NoteServed(version, PlaybackTelemetry.Segment, started);
    }

    // One spelling a number: "01" or "+1" would be other keys of the same bytes in every cache.
    private static int? Number(string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && (name[0] != '0' || name.Length == 1) ? number : null;

    private async Task Poster(HttpContext context)
    {
        var (version, viewer) = await OpenAsync(context);
        await objects.SendAsync(context, version.Poster ?? throw NotHere(), "image/jpeg", Revalidated(viewer));
    }

    private void NoteServed(PlayableVersion version, KeyValuePair<string, object?> what, long started)
    {
        var took = clock.GetElapsedTime(started);
        PlaybackTelemetry.NoteServed(what, took);
        firstPlays.Note(version, (string)what.Value!, took);
    }

    private async Task Subtitles(HttpContext context)
    {
        var (version, viewer) = await OpenAsync(context);
        var slice = RouteText(context, "version") == version.Version
            && version.Subtitles.TryGetValue(RouteText(context, "rendition"), out var text) ? text : throw NotHere();
        await objects.SendAsync(context, slice, ManifestRenderer.TextType, Immutable(viewer));
    }

    private async Task Storyboard(HttpContext context)
    {
        var (version, viewer) = await OpenAsync(context);
        await SendManifestAsync(
            context,
            ManifestRenderer.Storyboard(version, version.Storyboard ?? throw NotHere()),
            viewer.QueryToken,
            Revalidated(viewer));
    }

    private async Task StoryboardSheet(HttpContext context)
    {
        var (version, viewer) = await OpenAsync(context);
        var sheets = RouteText(context, "version") == version.Version ? version.Storyboard?.Sheets ?? [] : [];
        var sheet = Number(RouteText(context, "sheet"));
        await objects.SendAsync(
            context,
            sheet >= 0 && sheet < sheets.Count ? sheets[sheet.Value] : throw NotHere(),
            "image/jpeg",
            Immutable(viewer));
    }

    private async ValueTask<(PlayableVersion Version, Viewer Viewer)> OpenAsync(HttpContext context)
    {
        AllowOrigins(context.Response);
        if (!MediaId.TryParse(RouteText(context, "media_id"), out var mediaId))
        {
            throw NotHere();
        }

        var version = await versions.GetAsync(mediaId, context.RequestAborted);
        return (version, await access.CheckAsync(context.Request, version));
    }

    private static PlayableRendition RequireRendition(HttpContext context, PlayableVersion version) =>
        RouteText(context, "version") == version.Version &&
        version.Renditions.TryGetValue(RouteText(context, "rendition"), out var rendition)
            ? rendition
            : throw NotHere();

    private static async Task SendManifestAsync(
        HttpContext context, ManifestBytes manifest, string? token, string cacheControl)
    {
        var response = context.Response;
        var etag = manifest.ETagWith(token);
        response.Headers.ETag = etag;
        response.Headers.CacheControl = cacheControl;
        var length = manifest.LengthWith(token);
        // Only its preconditions: a manifest is sent whole, which a Range header always allows.
        var status = ByteRange.For(context.Request, etag, length).Status;
        if (status is StatusCodes.Status304NotModified or StatusCodes.Status412PreconditionFailed)
        {
            response.StatusCode = status;
            return;
        }

        response.ContentType = manifest.ContentType;
        response.ContentLength = length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            manifest.WriteTo(response.BodyWriter, token);
            await response.BodyWriter.FlushAsync(context.RequestAborted);
        }
    }

    /// <summary>
    /// A signed answer is the viewer's own: a shared cache that checks no tokens would give it to anybody.
    /// </summary>
    private static string Immutable(Viewer viewer) => viewer.IsPublic
        ? "public, max-age=31536000, immutable"
        : "private, max-age=31536000, immutable";

    private static string Revalidated(Viewer viewer) => viewer.IsPublic ? "no-cache" : "private, no-cache";

    private static Task Preflight(HttpContext context)
    {
        AllowOrigins(context.Response);
        var headers = context.Response.Headers;
        headers.AccessControlAllowMethods = "GET, HEAD";
        headers.AccessControlAllowHeaders = "Range, If-Match, If-None-Match, If-Range";
        headers.AccessControlMaxAge = "86400";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    // A token in the query is the only credential that another origin's page can use; cookies need a named origin.
    private static void AllowOrigins(HttpResponse response)
    {
        response.Headers.AccessControlAllowOrigin = "*";
        response.Headers.AccessControlExposeHeaders = "Accept-Ranges, Content-Length, Content-Range, ETag";
    }

    private static string RouteText(HttpContext context, string name) => (string)context.Request.RouteValues[name]!;

    private static HexcastException NotHere() => new(ErrorCodes.NotFound, "There is nothing to play here.");
}
