using Hexcast.Contracts.V1;

namespace Hexcast.Catalog.Versions;

/// <summary>What a version's progress means for its media. Pure.</summary>
internal static class VersionRules
{
    public static MediaRow Apply(MediaRow media, string version, CompositionEffect effect, long now) => effect switch
    {
        CompositionEffect.SavePlan plan => Describe(media, plan.Plan),
        CompositionEffect.Enter enter => Enter(media, version, enter, now),
        _ => media,
    };

    // A media that already plays another version goes on with it until this one is ready.
    private static MediaRow Enter(MediaRow media, string version, CompositionEffect.Enter enter, long now)
    {
        var playsAnother = media.Version is not null && media.Version != version;
        return enter.Stage switch
        {
            VersionStage.Ready => media with
            {
                State = MediaState.Ready,
                Version = version,
                PlayableAt = media.PlayableAt ?? now,
                ReadyAt = now,
                Error = null,
            },
            VersionStage.Failed when playsAnother => media with { Error = enter.Fault },
            VersionStage.Failed => media with { State = MediaState.Failed, Version = null, Error = enter.Fault },
            _ when playsAnother => media with { Error = null },
            VersionStage.Playable => media with
            {
                State = MediaState.Playable,
                Version = version,
                PlayableAt = media.PlayableAt ?? now,
                Error = null,
            },
            _ => media with { State = MediaState.Processing, Version = null, Error = null },
        };
    }

    private static MediaRow Describe(MediaRow media, PlanSummary plan) => media with
    {
        DurationSeconds = plan.DurationSeconds,
        Source = new SourceFacts
        {
            Container = plan.SourceContainer,
            VideoCodec = plan.SourceVideoCodec,
            AudioCodec = plan.SourceAudioCodec.Length == 0 ? null : plan.SourceAudioCodec,
            Width = plan.SourceWidth,
            Height = plan.SourceHeight,
            FrameRate = plan.SourceFrameRate,
            DurationSeconds = plan.DurationSeconds,
            Frames = plan.TotalFrames,
        },
    };
}
