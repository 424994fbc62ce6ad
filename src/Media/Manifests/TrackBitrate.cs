namespace Hexcast.Media.Manifests;

/// <summary>Measured bit rates of a rendition, in bit/s.</summary>
internal readonly record struct TrackBitrate(long Peak, long Average)
{
    /// <summary>
    /// The peak as RFC 8216, 4.3.4.2 defines it: the highest of any contiguous run of segments that lasts between 0.5
    /// and 1.5 target durations. So a last segment of one frame does not count alone.
    /// </summary>
    public static TrackBitrate Measure(RenditionTrack track, double targetDurationSeconds)
    {
        double peak = 0, totalBits = 0, totalSeconds = 0;
        var segments = track.Segments;
        for (var first = 0; first < segments.Count; first++)
        {
            totalBits += segments[first].LengthBytes * 8.0;
            totalSeconds += Seconds(track, segments[first]);
            double bits = 0, seconds = 0;
            for (var last = first; last < segments.Count; last++)
            {
                bits += segments[last].LengthBytes * 8.0;
                seconds += Seconds(track, segments[last]);
                if (seconds > targetDurationSeconds * 1.5)
                {
                    break;
                }
                if (seconds >= targetDurationSeconds * 0.5)
                {
                    peak = Math.Max(peak, bits / seconds);
                }
            }
        }
        var average = totalSeconds > 0 ? totalBits / totalSeconds : 0;
        return new TrackBitrate((long)Math.Ceiling(Math.Max(peak, average)), (long)Math.Ceiling(average));
    }

    private static double Seconds(RenditionTrack track, SegmentEntry segment) =>
        (double)segment.DurationTicks / track.Timescale;
}
