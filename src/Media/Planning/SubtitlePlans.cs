using System.Globalization;
using Hexcast.Media.Probing;
using Hexcast.Media.Subtitles;

namespace Hexcast.Media.Planning;

/// <summary>A text track that the version is to have.</summary>
public sealed record SubtitlePlan
{
    /// <summary>Unique within the version and safe in a path: <c>sub-en</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Index of the stream in the source.</summary>
    public required int StreamIndex { get; init; }

    /// <summary>BCP 47; <c>und</c> where the source does not say.</summary>
    public required string Language { get; init; }

    /// <summary>What a person chooses by; unique within the version.</summary>
    public required string Label { get; init; }

    /// <summary>Shown unless the viewer says otherwise.</summary>
    public bool IsDefault { get; init; }

    /// <summary>Only what a viewer who understands the sound needs: signs, another language.</summary>
    public bool IsForced { get; init; }
}

/// <summary>A stream of the source that becomes no track; the reason is for people.</summary>
public sealed record SkippedSubtitle(string Codec, string Language, string Reason);

/// <summary>Which of a source's subtitles become tracks.</summary>
public static class SubtitlePlans
{
    public const int MaxTracks = 32;
    public const int MaxLabelChars = 64;
    public const string IdPrefix = "sub-";

    // Text that ffmpeg turns into WebVTT.
    private static readonly string[] TextCodecs = ["mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"];

    private static readonly string[] PictureCodecs =
        ["hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"];

    public static (IReadOnlyList<SubtitlePlan> Tracks, IReadOnlyList<SkippedSubtitle> Skipped) Of(
        IReadOnlyList<SubtitleStream> streams)
    {
        var tracks = new List<SubtitlePlan>();
        var skipped = new List<SkippedSubtitle>();
        foreach (var stream in streams)
        {
            var language = Languages.Normalize(stream.Language);
            if (WhyNot(stream, tracks.Count) is { } reason)
            {
                skipped.Add(new SkippedSubtitle(stream.Codec, language, reason));
                continue;
            }

            tracks.Add(new SubtitlePlan
            {
                Id = Unique(
                    IdPrefix + language.ToLowerInvariant(), id => tracks.Exists(t => t.Id == id), '-'),
                StreamIndex = stream.Index,
                Language = language,
                Label = Unique(
                    Label(stream.Title) is { Length: > 0 } title ? title : Languages.Name(language),
                    label => tracks.Exists(t => t.Label == label), ' '),
                // At most one is: HLS knows no second.
                IsDefault = stream.IsDefault && !stream.IsForced && !tracks.Exists(t => t.IsDefault),
                IsForced = stream.IsForced,
            });
        }

        return (tracks, skipped);
    }

    /// <summary>A name from a stranger's file as one short line.</summary>
    public static string Label(string? title)
    {
        var plain = string.Concat((title ?? "").EnumerateRunes()
            .Select(rune => rune.Value is '"' ? "'" : System.Text.Rune.IsControl(rune) ? " " : rune.ToString())).Trim();
        return Cut(plain, MaxLabelChars);
    }

    private static string Cut(string text, int chars) => text.Length <= chars ? text
        : text[..(char.IsHighSurrogate(text[chars - 1]) ? chars - 1 : chars)].Trim();

    private static string? WhyNot(SubtitleStream stream, int tracks) =>
        PictureCodecs.Contains(stream.Codec, StringComparer.Ordinal)
            ? "These subtitles are pictures, not text. Burn them in, or upload them as text."
        : !TextCodecs.Contains(stream.Codec, StringComparer.Ordinal)
            ? "This kind of subtitles is not supported."
        : tracks >= MaxTracks ? $"A version has at most {MaxTracks} subtitle tracks."
        : null;

    /// <summary>The name, or with a number behind it where that is taken.</summary>
    public static string Unique(string wanted, Func<string, bool> isTaken, char joint)
    {
        var name = wanted;
        for (var i = 2; isTaken(name); i++)
        {
            var suffix = string.Create(CultureInfo.InvariantCulture, $"{joint}{i}");
            name = Cut(wanted, MaxLabelChars - suffix.Length) + suffix;
        }

        return name;
    }
}
