using System.Globalization;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Pages.Watch;

/// <summary>What the page shows before its script runs, and all that it shows where none does.</summary>
public sealed record WatchView
{
    public required string MediaId { get; init; }

    /// <summary>Names this visit in the log and in the statistics.</summary>
    public required string Session { get; init; }

    /// <summary>The viewer's own token, for what the page names; empty or with its question mark.</summary>
    public required string Query { get; init; }

    public double? Start { get; init; }

    /// <summary>Where it stops, or begins again.</summary>
    public double? End { get; init; }

    public bool Autoplay { get; init; }

    public bool Muted { get; init; }

    public bool Loop { get; init; }

    /// <summary>The bar is not shown.</summary>
    public bool Bare { get; init; }

    /// <summary>Of the subtitles that are on; null: what the viewer chose last.</summary>
    public string? Language { get; init; }

    public string Title { get; init; } = "Video";

    /// <summary>Where the picture will be; null where it can be played.</summary>
    public string? Curtain { get; init; }

    public string? Poster { get; init; }

    /// <summary>The error's code when the viewer is not let in.</summary>
    public string? Refusal { get; init; }

    public int Status { get; init; } = StatusCodes.Status200OK;

    /// <summary>Signed in, and sees the media in the dashboard too.</summary>
    public bool MayRead { get; init; }

    /// <summary>The plain address opens it only to those who are signed in: links to give away are made elsewhere.
    /// </summary>
    public bool NeedsLink { get; init; }

    public bool Exists => Refusal is null;

    public string WatchUrl => $"/watch/{MediaId}{Query}";

    public string StateUrl => $"/watch/{MediaId}/state{Query}";

    public string? StartText => Start?.ToString(CultureInfo.InvariantCulture);

    public string? EndText => End?.ToString(CultureInfo.InvariantCulture);

    /// <summary>Where a viewer is told why there is no video: a title and what to do.</summary>
    public (string Title, string Words) RefusalWords => Refusal switch
    {
        ErrorCodes.Unavailable => ("Not just now", "The catalogue does not answer. Reload the page in a little while."),
        ErrorCodes.TokenMissing => (
            "This video is private",
            "Open it with the whole link that you were given, or sign in if you may see the library."),
        ErrorCodes.TokenExpired => (
            "This link has run out", "Ask the person who gave it to you for a new one."),
        ErrorCodes.TokenInvalid => (
            "This link does not open the video", "It was changed on its way, or belongs to another video."),
        _ => ("There is no such video", "It was deleted, it is still being uploaded, or the address has a slip in it."),
    };

    internal WatchView Of(Visit visit)
    {
        var media = visit.Listed.Media;
        return this with
        {
            Title = TitleOf(media),
            MayRead = visit.MayRead,
            NeedsLink = visit.MayRead && visit.Links.Policy == "signed",
            Poster = visit.Poster,
            Curtain = CurtainOf(media.State),
        };
    }

    internal static string? CurtainOf(Wire.MediaState state) => state switch
    {
        Wire.MediaState.Playable or Wire.MediaState.Ready => null,
        Wire.MediaState.Processing => "Getting ready",
        Wire.MediaState.Failed => "This video could not be prepared",
        _ => "Waiting for its turn",
    };

    internal static string TitleOf(Wire.MediaRecord media) =>
        !string.IsNullOrWhiteSpace(media.Title) ? media.Title
        : !string.IsNullOrWhiteSpace(media.Filename) ? media.Filename
        : media.MediaId;
}
