using System.Text.Json;
using Hexcast.Contracts.V1;

namespace Hexcast.Catalog.Versions;

/// <summary>A rendition as the API shows it. Bit rates in bits a second, measured over whole segments.</summary>
internal static class RenditionSummary
{
    public static string Describe(IEnumerable<RenditionIndex> renditions) =>
        JsonSerializer.Serialize(renditions.Select(rendition =>
        {
            var lengths = rendition.Parts.SelectMany(part => part.Lengths).ToList();
            var seconds = rendition.Parts.SelectMany(part => part.Durations)
                .Select(ticks => (double)ticks / rendition.Timescale).ToList();
            var size = lengths.Sum();
            var duration = seconds.Sum();
            return new
            {
                id = rendition.Id,
                kind = rendition.Kind == TrackKind.Audio ? "audio" : "video",
                codec = rendition.Codec,
                width = rendition.Width,
                height = rendition.Height,
                frame_rate = rendition.FrameRate,
                channels = rendition.Channels,
                sample_rate_hz = rendition.SampleRateHz,
                segments = lengths.Count,
                size_bytes = size,
                average_bitrate = duration > 0 ? (long)(size * 8 / duration) : 0,
                peak_bitrate = lengths.Zip(seconds)
                    .Select(s => s.Second > 0 ? (long)(s.First * 8 / s.Second) : 0).DefaultIfEmpty().Max(),
                duration_seconds = duration,
            };
        }));
}
