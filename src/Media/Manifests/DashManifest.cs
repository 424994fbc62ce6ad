using System.Globalization;
using System.Text;
using System.Xml;
using Hexcast.Media.IsoBmff;

namespace Hexcast.Media.Manifests;

/// <summary>
/// MPEG-DASH (ISO/IEC 23009-1) with explicit segment times: static when the version is complete, dynamic while it
/// grows.
/// </summary>
public static class DashManifest
{
    private const string Namespace = "urn:mpeg:dash:schema:mpd:2011";
    // Behind those of picture and sound.
    private const int FirstTextSet = 2;

    /// <summary>Of a text track, below its id.</summary>
    public const string TextFileName = "subtitles.vtt";

    private static readonly TimeSpan UpdatePeriod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BufferTime = TimeSpan.FromSeconds(2);

    /// <param name="baseUri">Address of the version relative to the manifest, without a slash at its end.</param>
    /// <param name="query">Appended to each address, with its question mark: <c>?token=…</c>.</param>
    /// <param name="createdAt">When the version began to exist; only in the manifest while it grows.</param>
    /// <param name="publishedAt">When the index was read; only in the manifest while it grows.</param>
    public static string Mpd(
        VersionIndex index, string baseUri, string query, DateTimeOffset createdAt, DateTimeOffset publishedAt)
    {
        var text = new StringBuilder();
        var settings = new XmlWriterSettings { Indent = true, NewLineChars = "\n" };
        using (var xml = XmlWriter.Create(new Utf8Text(text), settings))
        {
            xml.WriteStartElement("MPD", Namespace);
            WriteAttributes(xml, index, createdAt, publishedAt);
            xml.WriteStartElement("Period");
            xml.WriteAttributeString("id", "0");
            xml.WriteAttributeString("start", "PT0S");
            var root = $"{baseUri}/$RepresentationID$/";
            WriteSet(xml, index, TrackKind.Video, root, query);
            WriteSet(xml, index, TrackKind.Audio, root, query);
            for (var i = 0; i < index.Subtitles.Count; i++)
            {
                WriteText(xml, index, index.Subtitles[i], FirstTextSet + i, baseUri, query);
            }
        }
        return text.Append('\n').ToString();
    }

    private static void WriteAttributes(
        XmlWriter xml, VersionIndex index, DateTimeOffset createdAt, DateTimeOffset publishedAt)
    {
        xml.WriteAttributeString("profiles", "urn:mpeg:dash:profile:isoff-live:2011");
        xml.WriteAttributeString("minBufferTime", Duration(BufferTime.TotalSeconds));
        if (index.Complete)
        {
            xml.WriteAttributeString("type", "static");
            xml.WriteAttributeString("mediaPresentationDuration", Duration(TrackEnd(index)));
        }
        else
        {
            xml.WriteAttributeString("type", "dynamic");
            xml.WriteAttributeString("minimumUpdatePeriod", Duration(UpdatePeriod.TotalSeconds));
            // Encoding may be faster than the video runs. Dated back by its whole length, no segment that is listed
            // counts as not yet available.
            var start = createdAt.ToUniversalTime() - TimeSpan.FromSeconds(Math.Ceiling(index.DurationSeconds));
            xml.WriteAttributeString("availabilityStartTime", Instant(start));
            xml.WriteAttributeString("publishTime", Instant(publishedAt.ToUniversalTime()));
        }
    }

    private static void WriteSet(XmlWriter xml, VersionIndex index, TrackKind kind, string root, string query)
    {
        var tracks = HlsManifest.Playable(index, kind);
        if (tracks.Count == 0)
        {
            return;
        }
        var video = kind == TrackKind.Video;
        xml.WriteStartElement("AdaptationSet");
        xml.WriteAttributeString("id", video ? "0" : "1");
        xml.WriteAttributeString("contentType", video ? "video" : "audio");
        xml.WriteAttributeString("mimeType", video ? "video/mp4" : "audio/mp4");
        xml.WriteAttributeString("segmentAlignment", "true");
        xml.WriteAttributeString("startWithSAP", "1");
        foreach (var track in tracks.OrderBy(t => t.Height))
        {
            WriteRepresentation(xml, index, track, root, query);
        }
        xml.WriteEndElement();
    }

    // 5.3.7: a text track in one piece is a representation with a base address and no segments.
    private static void WriteText(
        XmlWriter xml, VersionIndex index, TextTrack track, int set, string baseUri, string query)
    {
        xml.WriteStartElement("AdaptationSet");
        Number(xml, "id", set);
        xml.WriteAttributeString("contentType", "text");
        xml.WriteAttributeString("mimeType", "text/vtt");
        xml.WriteAttributeString("lang", track.Language);
        // The schema wants the label before the roles.
        xml.WriteElementString("Label", Namespace, Plain(track.Label));
        WriteRole(xml, track.IsForced ? "forced-subtitle" : "subtitle");
        if (track.IsDefault)
        {
            WriteRole(xml, "main");
        }
        xml.WriteStartElement("Representation");
        xml.WriteAttributeString("id", track.Id);
        Number(xml, "bandwidth", Math.Max(1, (long)Math.Ceiling(track.LengthBytes * 8 / index.DurationSeconds)));
        xml.WriteElementString("BaseURL", Namespace, $"{baseUri}/{track.Id}/{TextFileName}{query}");
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static void WriteRole(XmlWriter xml, string value)
    {
        xml.WriteStartElement("Role");
        xml.WriteAttributeString("schemeIdUri", "urn:mpeg:dash:role:2011");
        xml.WriteAttributeString("value", value);
        xml.WriteEndElement();
    }

    private static void WriteRepresentation(
        XmlWriter xml, VersionIndex index, RenditionTrack track, string root, string query)
    {
        xml.WriteStartElement("Representation");
        xml.WriteAttributeString("id", track.Id);
        xml.WriteAttributeString("codecs", track.Codec);
        Number(xml, "bandwidth", TrackBitrate.Measure(track, index.TargetDurationSeconds).Peak);
        if (track.Kind == TrackKind.Video)
        {
            Number(xml, "width", track.Width);
            Number(xml, "height", track.Height);
            xml.WriteAttributeString("frameRate", FrameRate(track.FrameRate));
            xml.WriteAttributeString("sar", "1:1");
        }
        else
        {
            Number(xml, "audioSamplingRate", track.SampleRateHz);
            xml.WriteStartElement("AudioChannelConfiguration");
            xml.WriteAttributeString("schemeIdUri", "urn:mpeg:dash:23003:3:audio_channel_configuration:2011");
            Number(xml, "value", track.Channels);
            xml.WriteEndElement();
        }
        xml.WriteStartElement("SegmentTemplate");
        Number(xml, "timescale", track.Timescale);
        // In a template a dollar sign starts an identifier; two are one (5.3.9.4.4).
        var suffix = query.Replace("$", "$$", StringComparison.Ordinal);
        xml.WriteAttributeString("initialization", $"{root}init.mp4{suffix}");
        xml.WriteAttributeString("media", $"{root}$Number$.m4s{suffix}");
        Number(xml, "startNumber", track.Segments[0].Number);
        WriteTimeline(xml, track.Segments);
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    // A run of equal durations is one S element; t is given where a segment does not start at the end of the last.
    private static void WriteTimeline(XmlWriter xml, IReadOnlyList<SegmentEntry> segments)
    {
        xml.WriteStartElement("SegmentTimeline");
        long? expected = null;
        for (var first = 0; first < segments.Count;)
        {
            var last = first;
            while (last + 1 < segments.Count && segments[last + 1].DurationTicks == segments[first].DurationTicks
                && segments[last + 1].StartTicks == segments[last].StartTicks + segments[last].DurationTicks)
            {
                last++;
            }
            xml.WriteStartElement("S");
            if (segments[first].StartTicks != expected)
            {
                Number(xml, "t", segments[first].StartTicks);
            }
            Number(xml, "d", segments[first].DurationTicks);
            if (last > first)
            {
                Number(xml, "r", last - first);
            }
            xml.WriteEndElement();
            expected = segments[last].StartTicks + segments[last].DurationTicks;
            first = last + 1;
        }
        xml.WriteEndElement();
    }

    // XML 1.0, 2.2: most control characters cannot stand in a document at all.
    private static string Plain(string text) => string.Concat(text.Where(c => !char.IsControl(c)));

    private static double TrackEnd(VersionIndex index) => index.Renditions
        .Where(t => t.Segments.Count > 0)
        .Select(t => (double)(t.Segments[^1].StartTicks + t.Segments[^1].DurationTicks) / t.Timescale)
        .DefaultIfEmpty(index.DurationSeconds).Max();

    private static void Number(XmlWriter xml, string name, long value) =>
        xml.WriteAttributeString(name, value.ToString(CultureInfo.InvariantCulture));

    private static string Duration(double seconds) =>
        string.Create(CultureInfo.InvariantCulture, $"PT{seconds:0.######}S");

    private static string Instant(DateTimeOffset time) =>
        time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    // The schema allows whole numbers and fractions only.
    private static string FrameRate(double rate) => Math.Abs(rate - Math.Round(rate)) < 0.0005
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Round(rate):F0}")
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Round(rate * 1000):F0}/1000");

    // XmlWriter takes the encoding of its declaration from the writer.
    private sealed class Utf8Text(StringBuilder text) : StringWriter(text, CultureInfo.InvariantCulture)
    {
        public override Encoding Encoding => new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
    }
}
