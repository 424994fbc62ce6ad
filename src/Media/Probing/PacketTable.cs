namespace Hexcast.Media.Probing;

/// <summary>
/// When each frame of a video stream is shown: as the container says, without decoding, or where it does not say, as
/// the decoder finds. Packets that the container marks for discarding are not in it.
/// </summary>
public sealed partial record PacketTable
{
    /// <summary>Presentation times in ticks of the stream's time base, strictly ascending.</summary>
    public required long[] Pts { get; init; }

    /// <summary>
    /// False where the container gives no time to some packets: only decoding tells the frames (see
    /// <see cref="ProbeArguments.VideoFrames"/>). Such a table cannot be planned with, and may be empty.
    /// </summary>
    public bool Exact { get; init; } = true;

    /// <summary>The presentation times of packets at which decoding can start, strictly ascending.</summary>
    public required long[] KeyframePts { get; init; }

    /// <summary>How long the frame shown last lasts, in ticks; at least 1.</summary>
    public required long LastDuration { get; init; }
}
