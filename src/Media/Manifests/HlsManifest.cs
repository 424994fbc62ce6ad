using System.Globalization;
using System.Text;
using Hexcast.Media.IsoBmff;

namespace Hexcast.Media.Manifests;

/// <summary>HLS playlists (RFC 8216, version 7 for fMP4). Lines end in LF; addresses are relative.</summary>
public static class HlsManifest
{
    private const int Version = 7;
    private const string AudioGroup = "audio";
    private const string TextGroup = "subtitles";

    /// <summary>The master playlist. Renditions without a segment are not in it yet.</summary>
    /// <param name="uri">Address of a rendition's media playlist, by its id, with any query.</param>
    public static string Master(VersionIndex index, Func<string, string> uri)
    {
        var audio = Playable(index, TrackKind.Audio);
        var sound = audio.Select(t => TrackBitrate.Measure(t, index.TargetDurationSeconds)).ToList();
        var text = Begin();
        text.Append("#EXT-X-INDEPENDENT-SEGMENTS\n");
        for (var i = 0; i < audio.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{AudioGroup}\",NAME=\"{i + 1}\",")
                .Append(i == 0 ? "DEFAULT=YES," : "DEFAULT=NO,")
                .Append(CultureInfo.InvariantCulture, $"AUTOSELECT=YES,CHANNELS=\"{audio[i].Channels}\",")
                .Append(CultureInfo.InvariantCulture, $"URI=\"{Quoted(uri(audio[i].Id))}\"\n");
        }
        WriteSubtitles(text, index, uri);
        // A player that has measured nothing yet starts with the first.
        foreach (var track in Playable(index, TrackKind.Video).OrderBy(t => t.Height))
        {
            var rate = TrackBitrate.Measure(track, index.TargetDurationSeconds);
            var peak = rate.Peak + sound.Select(s => s.Peak).DefaultIfEmpty(0).Max();
            var average = rate.Average + sound.Select(s => s.Average).DefaultIfEmpty(0).Max();
            text.Append(CultureInfo.InvariantCulture,
                $"#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},")
                .Append(CultureInfo.InvariantCulture, $"RESOLUTION={track.Width}x{track.Height},")
                .Append(CultureInfo.InvariantCulture, $"FRAME-RATE={track.FrameRate:F3},CODECS=\"")
                .AppendJoin(',', new[] { track.Codec }.Concat(audio.Select(a => a.Codec))
                    .Distinct(StringComparer.Ordinal))
                .Append('"')
                .Append(audio.Count > 0 ? $",AUDIO=\"{AudioGroup}\"" : "")
                .Append(index.Subtitles.Count > 0 ? $",SUBTITLES=\"{TextGroup}\"\n" : "\n")
                .Append(Line(uri(track.Id))).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>One rendition's playlist: EVENT while the version grows, VOD when it is complete.</summary>
    /// <param name="query">Appended to each address, with its question mark: <c>?token=…</c>.</param>
    public static string Media(VersionIndex index, string renditionId, string query = "")
    {
        var track = index.Renditions.First(t => string.Equals(t.Id, renditionId, StringComparison.Ordinal));
        var text = Begin();
        text.Append(CultureInfo.InvariantCulture,
            $"#EXT-X-TARGETDURATION:{Math.Ceiling(index.TargetDurationSeconds):F0}\n")
            .Append("#EXT-X-MEDIA-SEQUENCE:1\n")
            .Append(index.Complete ? "#EXT-X-PLAYLIST-TYPE:VOD\n" : "#EXT-X-PLAYLIST-TYPE:EVENT\n")
            .Append("#EXT-X-INDEPENDENT-SEGMENTS\n");
        if (!index.Complete)
        {
            // Without it a player takes the playlist for a live one and starts near its end.
            text.Append("#EXT-X-START:TIME-OFFSET=0\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"#EXT-X-MAP:URI=\"{Quoted("init.mp4" + query)}\"\n");
        foreach (var segment in track.Segments)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"#EXTINF:{(double)segment.DurationTicks / track.Timescale:F6},\n")
                .Append(Line(string.Create(CultureInfo.InvariantCulture, $"{segment.Number}.m4s{query}"))).Append('\n');
        }
        return index.Complete ? text.Append("#EXT-X-ENDLIST\n").ToString() : text.ToString();
    }

    /// <summary>The playlist of a text track: one segment, as long as the video.</summary>
    public static string Subtitles(VersionIndex index, string fileName, string query = "")
    {
        // RFC 8216, 4.3.3.1: rounded to a whole second no segment may be longer.
        var target = Math.Max(Math.Ceiling(index.DurationSeconds), Math.Ceiling(index.TargetDurationSeconds));
        return Begin().Append(CultureInfo.InvariantCulture, $"#EXT-X-TARGETDURATION:{target:F0}\n")
            .Append("#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:VOD\n")
            .Append(CultureInfo.InvariantCulture, $"#EXTINF:{index.DurationSeconds:F6},\n")
            .Append(Line(fileName + query)).Append("\n#EXT-X-ENDLIST\n").ToString();
    }

    private static void WriteSubtitles(StringBuilder text, VersionIndex index, Func<string, string> uri)
    {
        foreach (var track in index.Subtitles)
        {
            // 4.3.4.1: what is default is selected by itself too.
            text.Append(CultureInfo.InvariantCulture,
                $"#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"{TextGroup}\",NAME=\"{Plain(track.Label)}\",")
                .Append(CultureInfo.InvariantCulture, $"LANGUAGE=\"{Plain(track.Language)}\",")
                .Append(track.IsDefault ? "DEFAULT=YES," : "DEFAULT=NO,").Append("AUTOSELECT=YES,")
                .Append(track.IsForced ? "FORCED=YES," : "FORCED=NO,")
                .Append(CultureInfo.InvariantCulture, $"URI=\"{Quoted(uri(track.Id))}\"\n");
        }
    }

    internal static List<RenditionTrack> Playable(VersionIndex index, TrackKind kind) =>
        index.Renditions.Where(t => t.Kind == kind && t.Segments.Count > 0).ToList();

    private static StringBuilder Begin() =>
        new StringBuilder("#EXTM3U\n").Append(CultureInfo.InvariantCulture, $"#EXT-X-VERSION:{Version}\n");

    // RFC 8216, 4.2: a quoted string holds no line break and no double quote, and a line no line break. What remains of
    // such an address names nothing, which is better than a tag that was not meant.
    private static string Quoted(string uri) => Line(uri).Replace("\"", "%22", StringComparison.Ordinal);

    private static string Plain(string text) =>
        string.Concat(text.Where(c => c != '"' && !char.IsControl(c)));

    private static string Line(string uri) => uri
        .Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);
}
