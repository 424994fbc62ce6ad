using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Playback.Watch;

/// <summary>Lower-cased, these are the words of the API's "state"; the last two are the page's own.</summary>
internal enum WatchState
{
    Uploaded,
    Processing,
    Playable,
    Ready,
    Failed,
    Unknown,
    Unavailable,
}

/// <summary>What the page shows before its script runs, and all that it shows where none does.</summary>
internal sealed record WatchView(string MediaId, WatchState State)
{
    public string Title { get; init; } = "Video";

    public (string Code, string Message)? Error { get; init; }

    public string StateName => State.ToString().ToLowerInvariant();

    /// <summary>Stands where the picture will be.</summary>
    public string Headline => State switch
    {
        WatchState.Uploaded => "Waiting for its turn",
        WatchState.Processing => "Getting ready",
        WatchState.Failed => "This video could not be prepared",
        _ => "",
    };

    public bool Exists => State < WatchState.Unknown;

    public static WatchView Of(Wire.MediaRecord media) => new(media.MediaId, media.State switch
    {
        Wire.MediaState.Processing => WatchState.Processing,
        Wire.MediaState.Playable => WatchState.Playable,
        Wire.MediaState.Ready => WatchState.Ready,
        Wire.MediaState.Failed => WatchState.Failed,
        _ => WatchState.Uploaded,
    })
    {
        Title = FirstOf(media.Title, media.Filename, media.MediaId),
        Error = media.Error is { } error ? (error.Code, error.Message) : null,
    };

    private static string FirstOf(params ReadOnlySpan<string> candidates)
    {
        foreach (var candidate in candidates)
        {
            if (!string.IsNullOrWhiteSpace(candidate))
            {
                return candidate;
            }
        }

        return "";
    }
}
