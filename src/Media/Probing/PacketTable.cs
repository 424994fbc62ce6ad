namespace Hexcast.Media.Probing;

/// <summary>
/// When each frame of a video stream is shown, read from the container without decoding. Packets that the
/// container marks for discarding are not in it.
/// </summary>
public sealed partial record PacketTable
{
    /// <summary>Presentation times in ticks of the stream's time base, strictly ascending.</summary>
    public required long[] Pts { get; init; }

    /// <summary>The presentation times of packets at which decoding can start, strictly ascending.</summary>
    public required long[] KeyframePts { get; init; }

    /// <summary>How long the frame shown last lasts, in ticks; at least 1.</summary>
    public required long LastDuration { get; init; }
}
