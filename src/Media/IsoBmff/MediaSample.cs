namespace Hexcast.Media.IsoBmff;

/// <summary>One coded picture, or one frame of sound. Times are ticks of its track.</summary>
public readonly record struct MediaSample(long Dts, long Pts, long Duration, bool IsKey, ReadOnlyMemory<byte> Data);
