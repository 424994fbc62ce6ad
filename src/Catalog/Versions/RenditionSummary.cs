using Hexcast.Contracts.V1;

namespace Hexcast.Catalog.Versions;

/// <summary>What is measured of a rendition, over whole segments.</summary>
internal static class RenditionSummary
{
    public static RenditionFacts Describe(RenditionIndex rendition)
    {
        var lengths = rendition.Parts.SelectMany(part => part.Lengths).ToList();
        var ticks = rendition.Parts.SelectMany(part => part.Durations).ToList();
        var size = lengths.Sum();
        // Ticks add up exactly, seconds do not.
        var duration = (double)ticks.Sum() / rendition.Timescale;
        var sound = rendition.Kind == TrackKind.Audio;
        return new RenditionFacts
        {
            Id = rendition.Id,
            Kind = sound ? "audio" : "video",
            Codec = rendition.Codec,
            Width = sound ? null : rendition.Width,
            Height = sound ? null : rendition.Height,
            FrameRate = sound ? null : rendition.FrameRate,
            Channels = sound ? rendition.Channels : null,
            SampleRateHz = sound ? rendition.SampleRateHz : null,
            Segments = lengths.Count,
            SizeBytes = size,
            AverageBitrate = duration > 0 ? (long)(size * 8 / duration) : 0,
            PeakBitrate = lengths.Zip(ticks)
                .Select(s => s.Second > 0 ? (long)(s.First * 8.0 * rendition.Timescale / s.Second) : 0)
                .DefaultIfEmpty().Max(),
            DurationSeconds = duration,
        };
    }
}
