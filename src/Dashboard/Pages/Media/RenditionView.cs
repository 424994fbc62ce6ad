using System.Globalization;
using Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Pages.Media;

/// <summary>A row of the renditions' table, measured over whole segments as the API's figures are.</summary>
public sealed record RenditionView
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary>"1920 × 1080, 25 fps" or "2 channels, 48 kHz".</summary>
    public required string Content { get; init; }

    /// <summary>RFC 6381.</summary>
    public required string Codec { get; init; }

    public required int Height { get; init; }

    public required int Segments { get; init; }

    public required long SizeBytes { get; init; }

    /// <summary>Bit/s.</summary>
    public required long Average { get; init; }

    /// <summary>Bit/s, of the segment with the highest.</summary>
    public required long Peak { get; init; }

    internal static RenditionView Of(RenditionIndex rendition)
    {
        var lengths = rendition.Parts.SelectMany(part => part.Lengths).ToList();
        var seconds = rendition.Parts.SelectMany(part => part.Durations)
            .Select(ticks => (double)ticks / Math.Max(1, rendition.Timescale)).ToList();
        var (size, duration) = (lengths.Sum(), seconds.Sum());
        var sound = rendition.Kind == TrackKind.Audio;
        return new RenditionView
        {
            Id = rendition.Id,
            Name = sound ? "Sound" : $"{rendition.Height}p",
            Content = sound
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"{rendition.Channels} channels, {rendition.SampleRateHz / 1000.0} kHz")
                : string.Join(", ", ((string[])[
                    $"{rendition.Width} × {rendition.Height}", Words.FrameRate(rendition.FrameRate),
                ]).Where(words => words.Length > 0)),
            Codec = rendition.Codec,
            Height = sound ? 0 : rendition.Height,
            Segments = lengths.Count,
            SizeBytes = size,
            Average = duration > 0 ? (long)(size * 8 / duration) : 0,
            Peak = lengths.Zip(seconds)
                .Select(s => s.Second > 0 ? (long)(s.First * 8 / s.Second) : 0).DefaultIfEmpty().Max(),
        };
    }
}
