using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Pages.Watch;

/// <summary>What the player asks for while it waits, and where it plays from: docs/api/playback.md.</summary>
internal sealed record WatchState
{
    public required string MediaId { get; init; }
    public required string Title { get; init; }
    public required string State { get; init; }
    public required string? Version { get; init; }

    /// <summary>0 until the source is read.</summary>
    public required double DurationSeconds { get; init; }

    public required ProgressState? Progress { get; init; }

    /// <summary>Only for those who can do something about it.</summary>
    public required ErrorState? Error { get; init; }

    /// <summary>Null while there is nothing to play.</summary>
    public required LinksState? Links { get; init; }

    public static WatchState Of(Visit visit)
    {
        var media = visit.Listed.Media;
        var links = visit.Links;
        return new WatchState
        {
            MediaId = media.MediaId,
            Title = WatchView.TitleOf(media),
            State = NameOf(media.State),
            Version = media.Version.Length == 0 ? null : media.Version,
            // To the microsecond, as the API tells it.
            DurationSeconds = Math.Round(media.DurationSeconds, 6),
            Progress = visit.Listed.Stage.Length == 0
                ? null
                : new ProgressState(visit.Listed.Fraction, visit.Listed.Stage),
            Error = visit.MayRead && media.Error is { } error ? new ErrorState(error.Code, error.Message) : null,
            Links = !visit.IsPlayable
                ? null
                : new LinksState(
                    links.Hls,
                    links.Dash,
                    visit.Poster,
                    links.Storyboard.Length > 0 ? links.Storyboard : null,
                    links.ExpiresAt?.ToDateTimeOffset()),
        };
    }

    public static string NameOf(Wire.MediaState state) => state.ToString().ToLowerInvariant();

    internal sealed record ProgressState(double Fraction, string Stage);

    internal sealed record ErrorState(string Code, string Message);

    internal sealed record LinksState(
        string Hls, string Dash, string? Poster, string? Storyboard,
        DateTimeOffset? ExpiresAt);
}
