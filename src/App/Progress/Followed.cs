using System.Text.Json;

namespace Hexcast.App.Progress;

/// <summary>What --json says of one media; times are null where this process did not see the upload begin.</summary>
/// <param name="Media">The server's own document.</param>
internal sealed record Followed(
    double? TimeToPlayableSeconds, double? TimeToReadySeconds, double? TimesRealtime, JsonElement Media)
{
    public Followed(Outcome outcome, JsonElement media)
        : this(outcome.TimeToPlayable?.TotalSeconds, outcome.TimeToReady?.TotalSeconds, outcome.TimesRealtime, media)
    {
    }

    public Followed(JsonElement media)
        : this(null, null, null, media)
    {
    }
}
