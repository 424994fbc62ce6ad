using System.Globalization;

namespace Hexcast.Media.Probing;

/// <summary>
/// Command lines for ffprobe. ffmpeg has demuxers that open other files and addresses named inside the input (hls,
/// concat, dash, image2, sdp): a source may only be read by a demuxer that reads nothing else, and only from a file.
/// </summary>
public static class ProbeArguments
{
    /// <summary>Containers that hold their own media. One match suffices for ffmpeg's comma-separated names.</summary>
    public const string Demuxers = "mov,matroska,mpegts,mpeg,avi,flv,ogg,asf,mxf";

    /// <summary>Options that go before every <c>-i</c> that names a source.</summary>
    internal static IReadOnlyList<string> SafeInput { get; } =
        ["-protocol_whitelist", "file", "-format_whitelist", Demuxers];

    /// <summary>The explicit protocol keeps a colon or a leading dash in a path from meaning anything.</summary>
    internal static string InputUrl(string path) => "file:" + path;

    /// <summary>Prints the streams and the format as JSON for <see cref="SourceProbe.Parse"/>.</summary>
    public static IReadOnlyList<string> Streams(string path) =>
    [
        "-hide_banner", "-v", "error", .. SafeInput,
        "-show_format", "-show_streams", "-of", "json", "-i", InputUrl(path),
    ];

    /// <summary>
    /// Prints a line a packet for <see cref="PacketTable.Parse(TextReader)"/>; demuxes, decodes nothing.
    /// </summary>
    public static IReadOnlyList<string> VideoPackets(string path, int streamIndex) =>
    [
        "-hide_banner", "-v", "error", .. SafeInput,
        "-select_streams", streamIndex.ToString(CultureInfo.InvariantCulture),
        "-show_entries", "packet=pts,duration,flags", "-of", "csv=p=0", "-i", InputUrl(path),
    ];

    /// <summary>
    /// Arguments for ffmpeg, not ffprobe: prints a line a decoded frame for <see cref="PacketTable.ParseFrames"/>, at
    /// the times that an encode will see. It takes as long as decoding does; only for tables that are not exact.
    /// </summary>
    public static IReadOnlyList<string> VideoFrames(string path, VideoStream video) =>
    [
        "-hide_banner", "-nostdin", "-nostats", "-v", "error", "-copyts", .. SafeInput, "-i", InputUrl(path),
        "-map", string.Create(CultureInfo.InvariantCulture, $"0:{video.Index}"), "-fps_mode", "passthrough",
        "-enc_time_base", string.Create(CultureInfo.InvariantCulture, $"{video.TimeBase.Num}:{video.TimeBase.Den}"),
        "-c:v", "wrapped_avframe", "-f", "framecrc", "pipe:1",
    ];
}
