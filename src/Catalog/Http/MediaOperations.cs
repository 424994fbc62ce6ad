using Hexcast.Media.Planning;
using Hexcast.Media.Subtitles;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;

namespace Hexcast.Catalog.Http;

/// <summary>What the API's document says of media.</summary>
internal static class MediaOperations
{
    public static Operation List(Operation list) => list
        .Says("The newest first, without their jobs.")
        .Query(
            "q", Value.Text(MediaFilter.QueryLengthLimit),
            "every word must begin a word of the title, the filename or a tag; words beyond the 16th are ignored")
        .Query("state", Value.OneOf(MediaStates.Names), "only media in this state")
        .Query("tag", Value.Several(Value.Text(), MediaQuery.TagLimit), "a media must carry them all")
        .Query("limit", Value.Number(1, MediaQuery.HighestLimit, MediaQuery.DefaultLimit), "media a page")
        .Query("cursor", Value.MediaId(), "the `next_cursor` of the page before")
        .Answers<MediaPageAnswer>(200, "a page of media")
        .Fails(ErrorCodes.InvalidArgument);

    public static Operation Show(Operation show) => OfMedia(show)
        .Answers<MediaWithJobAnswer>(200, "the media with its job")
        .With("ETag", "the media's `row_version`, quoted");

    public static Operation Change(Operation change) => OfMedia(IfMatch(change))
        .Says("What is absent stays. Without `If-Match` the last one wins.")
        .Takes<MediaEdit>($"at most {MediaEndpoints.EditSizeLimitBytes / 1024} KiB; other fields are refused")
        .Answers<MediaAnswer>(200, "the media as it is now, without its job")
        .With("ETag", "its new `row_version`, quoted")
        .Fails(ErrorCodes.InvalidArgument, ErrorCodes.TooLarge, ErrorCodes.PreconditionFailed);

    public static Operation Delete(Operation delete) => OfMedia(IfMatch(delete))
        .Says("It is gone from lists and players at once; its job and objects follow.")
        .Answers(204, "it is gone")
        .Fails(ErrorCodes.PreconditionFailed);

    public static Operation PutSubtitles(Operation put) => OfSubtitles(put)
        .Says("In place of the track that was uploaded before, or that the source has, in the same language. Every " +
            "cue is read and written anew: `b i u ruby` and no other markup, no settings.")
        .Query("label", Value.Text(SubtitlePlans.MaxLabelChars), "what a viewer chooses by; otherwise the language")
        .Query("default", Value.OneOf(["true", "false"]), "shown unless the viewer says otherwise")
        .TakesBytes($"WebVTT or SubRip in UTF-8, at most {SubtitleText.MaxBytes >> 20} MiB and " +
            $"{SubtitleText.MaxCues} subtitles; the `Content-Type` is not looked at", required: true,
            "text/vtt", "application/x-subrip")
        .Answers<MediaAnswer>(200, "the media as it is now, without its job")
        .With("ETag", "its new `row_version`, quoted")
        .Fails(ErrorCodes.InvalidArgument, ErrorCodes.TooLarge, ErrorCodes.Conflict);

    public static Operation DeleteSubtitles(Operation delete) => OfSubtitles(delete)
        .Says("Only what was uploaded; the source's own track, if there is one, takes its place again.")
        .Answers(204, "it is gone")
        .Fails(ErrorCodes.InvalidArgument);

    public static Operation Retry(Operation retry) => OfMedia(retry)
        .Says("Runs the failed job again; tasks that are committed are kept. If the master does not know the job any " +
            "more, the media is ordered anew.")
        .Answers<MediaAnswer>(202, "the media, processing again, without its job")
        .With("ETag", "its new `row_version`, quoted")
        .Fails(ErrorCodes.Conflict, ErrorCodes.ResourceExhausted);

    public static Operation Follow(Operation follow) => OfMedia(follow)
        .Says("The newest state at once, then each change: `media` (the media without its job), `progress` " +
            "(`{\"tasks\": […]}` as in `job`, at most every 250 ms), `deleted` (`{\"media_id\": …}`, then the " +
            "stream ends). Nothing is queued: a slow reader misses steps in between, never the last. A comment comes " +
            "after 15 s without an event.")
        .Answers(200, "server-sent events", "text/event-stream")
        .Fails(ErrorCodes.ResourceExhausted);

    public static Operation FollowAll(Operation follow) => follow
        .Says("From now on: `media` and `deleted` as above, and `progress` (`{\"media_id\", \"fraction\", " +
            "\"stage\"}`) of what is being made, at most every 500 ms. What a media was like before, the list says.")
        .Answers(200, "server-sent events", "text/event-stream")
        .Fails(ErrorCodes.ResourceExhausted);

    private static Operation OfSubtitles(Operation operation) => OfMedia(operation)
        .Path("language", Value.Text(), "a tag of BCP 47, such as `en` or `pt-BR`");

    private static Operation OfMedia(Operation operation) => operation
        .Path("media_id", Value.MediaId(), "of the media")
        .Fails(ErrorCodes.NotFound);

    private static Operation IfMatch(Operation operation) => operation
        .Header("If-Match", Value.Text(), "the `ETag` that the media must still have");
}
