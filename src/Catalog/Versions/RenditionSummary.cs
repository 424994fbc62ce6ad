using Hexcast.Catalog.Http;
using Hexcast.Contracts.V1;

namespace Hexcast.Catalog.Versions;

/// <summary>What is measured of a rendition, over whole segments.</summary>
internal static class RenditionSummary
{
    public static RenditionAnswer Describe(RenditionIndex rendition)
    {
        var lengths = rendition.Parts.SelectMany(part => part.Lengths).ToList();
        var seconds = rendition.Parts.SelectMany(part => part.Durations)
            .Select(ticks => (double)ticks / rendition.Timescale).ToList();
        var size = lengths.Sum();
        var duration = seconds.Sum();
        var sound = rendition.Kind == TrackKind.Audio;
        return new RenditionAnswer
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
            PeakBitrate = lengths.Zip(seconds)
                .Select(s => s.Second > 0 ? (long)(s.First * 8 / s.Second) : 0).DefaultIfEmpty().Max(),
            DurationSeconds = duration,
        };
    }
}
