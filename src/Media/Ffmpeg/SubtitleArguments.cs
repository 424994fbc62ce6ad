using System.Globalization;
using Hexcast.Media.Planning;
using Hexcast.Media.Probing;
using Hexcast.Media.Subtitles;

namespace Hexcast.Media.Ffmpeg;

/// <summary>An ffmpeg command line that reads a source once and writes its text tracks as WebVTT.</summary>
public static class SubtitleArguments
{
    /// <param name="outputPath">Where each track goes, by its id. The times in it are the source's own.</param>
    public static IReadOnlyList<string> Extract(
        IReadOnlyList<SubtitlePlan> tracks, string inputPath, Func<string, string> outputPath)
    {
        List<string> arguments =
        [
            .. EncodeArguments.Preamble("error"), .. ProbeArguments.SafeInput,
            // Sound and pictures are not even handed on by the demuxer, far less decoded.
            "-vn", "-an", "-dn", "-i", ProbeArguments.InputUrl(inputPath),
        ];
        foreach (var track in tracks)
        {
            arguments.AddRange(
            [
                "-map", string.Create(CultureInfo.InvariantCulture, $"0:{track.StreamIndex}"), "-c:s", "webvtt",
                // One byte more than is read, so that a longer one is known by its length.
                "-fs", (SubtitleText.MaxBytes + 1).ToString(CultureInfo.InvariantCulture),
                "-map_metadata", "-1", "-f", "webvtt", "-y", ProbeArguments.InputUrl(outputPath(track.Id)),
            ]);
        }

        return arguments;
    }
}
