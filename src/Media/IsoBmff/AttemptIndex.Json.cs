using System.Text.Json;
using Hexcast.Media.Planning;
using Hexcast.Media.Presets;

namespace Hexcast.Media.IsoBmff;

public sealed partial record AttemptIndex
{
    public const int MaxJsonBytes = 32 << 20;
    public const int MaxTaskNameChars = 200;

    private const int Sha256HexChars = 64;

    /// <summary>The bytes of the index object.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, MediaJson.Options);

    /// <exception cref="MediaException">The document is no index, or contradicts itself.</exception>
    public static AttemptIndex FromJson(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaxJsonBytes)
        {
            throw Invalid("it is over its size limit");
        }
        AttemptIndex? index;
        try
        {
            index = JsonSerializer.Deserialize<AttemptIndex>(json, MediaJson.Options);
        }
        catch (JsonException e)
        {
            throw new MediaException(MediaErrorCode.IndexInvalid, $"The segment index cannot be read: {e.Message}", e);
        }
        if (index is null)
        {
            throw Invalid("it is null");
        }
        index.Check();
        return index;
    }

    private void Check()
    {
        Require(Version == CurrentVersion, $"it has version {Version}; this program reads {CurrentVersion}");
        Require(Task.Length is > 0 and <= MaxTaskNameChars && Attempt >= 1, "its task or attempt is not named");
        Require(Renditions.Count is > 0 and <= Preset.MaxRungs + 1, "it has no renditions, or too many");
        Require(Renditions.All(r => r is not null && r.Segments.All(s => s is not null)), "an entry is null");
        Require(Renditions.Select(r => r.Id).Distinct(StringComparer.Ordinal).Count() == Renditions.Count,
            "a rendition is there twice");
        foreach (var rendition in Renditions)
        {
            Require(MediaJson.IsPathName(rendition.Id) && MediaJson.IsPathName(rendition.ObjectName),
                "a rendition's name is not safe in a path");
            Check(rendition);
        }
    }

    private static void Check(RenditionIndex r)
    {
        Require(r.Codec.Length is > 0 and <= 64 && r.Codec.All(c => char.IsAsciiLetterOrDigit(c) || c == '.'),
            $"{r.Id} has no codec");
        Require(r.Frames >= 0 && r.Timescale > 0 && double.IsFinite(r.FrameRate) && r.FrameRate >= 0,
            $"{r.Id} has no timescale, or a rate below zero");
        Require(r.Kind == TrackKind.Video
            ? r is { Width: > 0, Height: > 0 }
            : r is { Channels: > 0, SampleRateHz: > 0 },
            $"{r.Id} has no size, or no channels");
        Require(IsHash(r.InitSha256) && IsHash(r.ObjectSha256), $"{r.Id} has a hash that is none");
        Require(Within(r.InitOffset, r.InitLength, r.ObjectLength), $"{r.Id} has a header outside its object");
        Require(r.FirstSegmentNumber >= 1 && r.Segments.Count is > 0 and <= PlanLimits.MaxSegments,
            $"{r.Id} has no segments, or too many");
        for (var i = 0; i < r.Segments.Count; i++)
        {
            var s = r.Segments[i];
            Require(s.Number == r.FirstSegmentNumber + i, $"{r.Id} lacks segment {r.FirstSegmentNumber + i}");
            Require(Within(s.Offset, s.Length, r.ObjectLength), $"segment {s.Number} of {r.Id} is outside its object");
            Require(s is { Start: >= 0 and < long.MaxValue / 4, Duration: > 0 and < long.MaxValue / 4 }
                && (i == 0 || s.Start >= r.Segments[i - 1].Start + r.Segments[i - 1].Duration),
                $"segment {s.Number} of {r.Id} overlaps the one before it");
            Require(s.Sha256 is null || IsHash(s.Sha256), $"segment {s.Number} of {r.Id} has a hash that is none");
        }
    }

    private static bool Within(long offset, int length, long whole) =>
        offset >= 0 && length > 0 && offset <= whole - length;

    private static bool IsHash(string text) => text.Length == Sha256HexChars && text.All(char.IsAsciiHexDigitLower);

    private static void Require(bool holds, string problem)
    {
        if (!holds)
        {
            throw Invalid(problem);
        }
    }

    private static MediaException Invalid(string problem) =>
        new(MediaErrorCode.IndexInvalid, $"The segment index cannot be used: {problem}.");
}
