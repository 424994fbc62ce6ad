using Hexcast.Contracts.V1;
using Hexcast.Media.Planning;

namespace Hexcast.Catalog.Subtitles;

/// <summary>The text tracks that a viewer may choose from. Pure.</summary>
internal static class SubtitleTracks
{
    /// <summary>
    /// What was uploaded comes first, and takes the place of the source's own in the same language; forced ones, which
    /// say something else, stay. No two have one label, and at most one is the default.
    /// </summary>
    public static IReadOnlyList<SubtitleTrack> Merge(
        IReadOnlyList<SubtitleTrack> uploaded, IEnumerable<SubtitleTrack> ofSource)
    {
        var merged = new List<SubtitleTrack>();
        foreach (var track in uploaded.Concat(
            ofSource.Where(own => own.IsForced || !uploaded.Any(track => track.Language == own.Language))))
        {
            var next = track.Clone();
            next.Label = SubtitlePlans.Unique(
                next.Label, label => merged.Exists(t => t.Label == label), joint: ' ');
            next.IsDefault = next.IsDefault && !merged.Exists(t => t.IsDefault);
            merged.Add(next);
        }

        return merged;
    }
}
