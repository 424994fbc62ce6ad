using System.Text.Json;
using Hexcast.Contracts.V1;

namespace Hexcast.Catalog.Versions;

/// <summary>A rendition as the API shows it. Bit rates in bits a second, measured over whole segments; null
/// is what a rendition of its kind does not have.</summary>
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
            var sound = rendition.Kind == TrackKind.Audio;
            return new
            {
                id = rendition.Id,
                kind = sound ? "audio" : "video",
                codec = rendition.Codec,
                width = sound ? (int?)null : rendition.Width,
                height = sound ? (int?)null : rendition.Height,
                frame_rate = sound ? (double?)null : rendition.FrameRate,
                channels = sound ? rendition.Channels : (int?)null,
                sample_rate_hz = sound ? rendition.SampleRateHz : (int?)null,
                segments = lengths.Count,
                size_bytes = size,
                average_bitrate = duration > 0 ? (long)(size * 8 / duration) : 0,
                peak_bitrate = lengths.Zip(seconds)
                    .Select(s => s.Second > 0 ? (long)(s.First * 8 / s.Second) : 0).DefaultIfEmpty().Max(),
                duration_seconds = duration,
            };
        }));
}
