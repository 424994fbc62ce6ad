using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;

namespace Hexcast.Dashboard.Pages.Watch;

/// <summary>What the API's document says of the pages that play.</summary>
internal static class WatchOperations
{
    public static Operation Page(Operation page) => OfViewer(page)
        .Query("t", Value.Text(), "seconds to start at; `start` is the same")
        .Query("end", Value.Text(), "seconds to stop at")
        .Query("loop", Value.Text(), "`1`: begins again at its end")
        .Query("lang", Value.Text(), "language of the subtitles that are on")
        .Query("controls", Value.Text(), "`0`: an embedded player without its bar")
        .Query("autoplay", Value.Text(), "`1`: plays at once where the browser lets it")
        .Query("muted", Value.Text(), "`1`: without sound")
        .Answers(401, "a page that says so", "text/html")
        .Answers(403, "a page that says so", "text/html")
        .Answers(404, "a page that says so", "text/html")
        .Answers(503, "a page that says so", "text/html");

    public static Operation State(Operation state) => OfViewer(state)
        .Says("For players that wait: the media's state, its progress, and where it plays once it does.")
        .Answers<WatchState>(200, "the state")
        .Fails(
            ErrorCodes.NotFound, ErrorCodes.TokenMissing, ErrorCodes.TokenInvalid, ErrorCodes.TokenExpired,
            ErrorCodes.Unavailable);

    private static Operation OfViewer(Operation operation) => operation
        .Path("media_id", Value.MediaId(), "of the media")
        .Query(
            Admission.TokenName, Value.Text(),
            "a playback token, where the policy is `signed` and nobody who may read the media is signed in");
}
