using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Hexcast.Playback.Tokens;

namespace Hexcast.Playback;

/// <summary>What the API's document says of playing.</summary>
internal static class PlayOperations
{
    private const string Hls = "application/vnd.apple.mpegurl", Jpeg = "image/jpeg", Text = "text/vtt";
    private static readonly string[] Media = ["video/mp4", "audio/mp4"];

    public static Operation Links(Operation links) => OfMedia(links)
        .Takes<LinksRequest>("at most 4 KiB; nothing is an empty object", required: false)
        .Answers<LinksAnswer>(200, "addresses that work, with a token where one is needed")
        .With("Set-Cookie", "where a cookie was asked for: `hexcast_play`, for the media's path")
        .Fails(ErrorCodes.InvalidArgument, ErrorCodes.NotFound, ErrorCodes.TooLarge);

    public static Operation HlsMaster(Operation manifest) => OfViewer(manifest)
        .Says("Of the newest version. The token, where it came in the query, is handed on to every address in it.")
        .Answers(200, "the playlist", Hls)
        .With("ETag", "strong; where a token is handed on, that token's alone")
        .Answers(304, "`If-None-Match` has it")
        .Answers(412, "`If-Match` has it not");

    public static Operation Dash(Operation manifest) => OfViewer(manifest)
        .Says("Of the newest version: `dynamic` while it grows, then `static`.")
        .Answers(200, "the manifest", "application/dash+xml")
        .With("ETag", "strong; where a token is handed on, that token's alone")
        .Answers(304, "`If-None-Match` has it")
        .Answers(412, "`If-Match` has it not");

    public static Operation Poster(Operation poster) => Ranged(OfViewer(poster), "the picture", Jpeg);

    public static Operation Storyboard(Operation storyboard) => OfViewer(storyboard)
        .Says("WebVTT whose cues name a place on a sheet. The token, where it came in the query, is handed on.")
        .Answers(200, "the cues", Text)
        .With("ETag", "strong; where a token is handed on, that token's alone")
        .Answers(304, "`If-None-Match` has it")
        .Answers(412, "`If-Match` has it not");

    public static Operation StoryboardSheet(Operation sheet) => Ranged(OfViewer(sheet), "the pictures; immutable", Jpeg)
        .Path("version", Value.Text(), "the `version` of the media")
        .Path("sheet", Value.Number(0), "its number, without leading zeros");

    public static Operation Subtitles(Operation text) => Ranged(OfViewer(text), "WebVTT; immutable", Text)
        .Path("version", Value.Text(), "the `version` of the media")
        .Path("rendition", Value.Text(), "the `id` of one of its subtitles");

    public static Operation HlsMedia(Operation playlist) => OfRendition(playlist)
        .Says("`EVENT` while the version grows, then `VOD` and immutable.")
        .Answers(200, "the playlist", Hls)
        .With("ETag", "strong; where a token is handed on, that token's alone")
        .Answers(304, "`If-None-Match` has it")
        .Answers(412, "`If-Match` has it not");

    public static Operation InitSegment(Operation segment) =>
        Ranged(OfRendition(segment), "the segment; immutable", Media);

    public static Operation Segment(Operation segment) =>
        Ranged(OfRendition(segment), "the segment; immutable", Media)
            .Path("segment", Value.Number(1), "its number, without leading zeros");

    public static Operation Preflight(Operation preflight) => preflight
        .Path("path", Value.Text(), "anything below /play")
        .Says("Any origin may read what is below /play; cookies need the same one.")
        .Answers(204, "the headers say it")
        .With("Access-Control-Allow-Origin", "`*`")
        .With("Access-Control-Allow-Methods", "`GET, HEAD`")
        .With("Access-Control-Allow-Headers", "`Range` and the preconditions");

    private static Operation OfMedia(Operation operation) =>
        operation.Path("media_id", Value.MediaId(), "of the media");

    private static Operation OfViewer(Operation operation) => OfMedia(operation)
        .Query(
            "token", Value.Text(PlaybackTokens.LengthLimit),
            "a playback token, where the policy is `signed`, the cookie `hexcast_play` does not hold one, and nobody "
            + "who may read the media is signed in")
        .Header("If-None-Match", Value.Text(), "an `ETag`")
        .Header("If-Match", Value.Text(), "an `ETag`")
        .Fails(
            ErrorCodes.NotFound, ErrorCodes.NotPlayable, ErrorCodes.TokenMissing, ErrorCodes.TokenInvalid,
            ErrorCodes.TokenExpired);

    private static Operation OfRendition(Operation operation) => OfViewer(operation)
        .Path("version", Value.Text(), "the `version` of the media")
        .Path("rendition", Value.Text(), "the `id` of one of its renditions, for a playlist also of its subtitles");

    private static Operation Ranged(Operation operation, string text, params string[] types) => operation
        .Header("Range", Value.Text(128), "one range; several are answered whole")
        .Header("If-Range", Value.Text(), "an `ETag`: the range only of that one")
        .Answers(200, text, types)
        .With("ETag", "strong")
        .Answers(206, "the range", types)
        .With("Content-Range", "which it is")
        .Answers(304, "`If-None-Match` has it")
        .Answers(412, "`If-Match` has it not")
        .Answers(416, "there is no such range");
}
