using Google.Protobuf.WellKnownTypes;
using Hexcast.Catalog.Subtitles;
using Hexcast.Contracts.V1;

namespace Hexcast.Catalog.Versions;

/// <summary>What of a composition can be played: the segments of each rendition from the first, no gap.</summary>
internal static class VersionIndexBuilder
{
    /// <param name="uploaded">Text tracks that came beside the media.</param>
    public static VersionIndex Build(
        MediaRow media, VersionRow version, VersionComposition composition, IReadOnlyList<SubtitleTrack> uploaded)
    {
        var plan = composition.Plan;
        var index = new VersionIndex
        {
            MediaId = media.MediaId,
            Version = version.Version,
            Complete = composition.Stage == VersionStage.Ready,
            DurationSeconds = plan?.DurationSeconds ?? 0,
            TargetDurationSeconds = plan?.TargetDurationSeconds ?? 0,
            Poster = composition.Poster,
            Storyboard = composition.Storyboard,
            Policy = media.Policy,
            Tenant = media.Tenant,
            Title = media.Title,
            // Not the job's revision: this one also grows when the title or the policy changes.
            Revision = media.RowVersion,
            CreatedAt = Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(version.CreatedAt)),
            Traceparent = media.Traceparent,
            Played = version.Played,
        };
        index.Renditions.AddRange(Renditions(composition));
        if (index.Complete)
        {
            index.Subtitles.AddRange(SubtitleTracks.Merge(uploaded, composition.Subtitles?.Tracks ?? []));
        }

        return index;
    }

    public static IReadOnlyList<RenditionIndex> Renditions(VersionComposition composition)
    {
        if (composition.Plan is not { } plan)
        {
            return [];
        }

        var beginning = composition.Beginning.ToList();
        var renditions = new List<RenditionIndex>();
        foreach (var planned in plan.Renditions.Where(r => !r.Audio))
        {
            var shares = beginning.ConvertAll(part => part.Renditions.Single(r => r.Index.Id == planned.Id).Index);
            if (shares.Count > 0)
            {
                var whole = shares[0].Clone();
                whole.Parts.AddRange(shares.Skip(1).Select(share => share.Parts[0]));
                // Measured over the source: a chunk's own would change while the version grows.
                whole.FrameRate = plan.SourceFrameRate;
                renditions.Add(whole);
            }
        }

        // Sound is encoded in one piece. It is shown as far as the picture goes: a player takes the longer for the end.
        if (composition.Audio is { } audio && renditions.Count > 0)
        {
            var limit = composition.Stage == VersionStage.Ready ? double.PositiveInfinity : renditions.Min(EndSeconds);
            renditions.AddRange(
                audio.Renditions.Select(r => CutAt(limit, r.Index.Clone())).Where(r => r.Parts[0].Lengths.Count > 0));
        }

        return renditions;
    }

    private static double EndSeconds(RenditionIndex rendition)
    {
        var last = rendition.Parts[^1];
        return (double)(last.Starts[^1] + last.Durations[^1]) / rendition.Timescale;
    }

    private static RenditionIndex CutAt(double seconds, RenditionIndex rendition)
    {
        var part = rendition.Parts[0];
        var keep = part.Starts.TakeWhile(start => (double)start / rendition.Timescale < seconds).Count();
        foreach (var column in new[] { part.Offsets, part.Lengths, part.Starts, part.Durations })
        {
            while (column.Count > keep)
            {
                column.RemoveAt(column.Count - 1);
            }
        }

        return rendition;
    }
}
