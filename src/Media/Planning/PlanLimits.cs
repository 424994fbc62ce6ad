namespace Hexcast.Media.Planning;

/// <summary>How large a plan may get, and how its chunks are cut.</summary>
public static class PlanLimits
{
    public const int MaxChunks = 512;
    public const int MaxSegments = 86_400;
    public const int MaxPlanJsonBytes = 32 << 20;
    public const int MaxVideoTimescale = 1_000_000;

    // About 16 chunks keep a few cores busy to the end; under 8 s the start of a process counts, over 32 s too much is
    // lost with a worker.
    internal const int ChunksPerVideo = 16;
    internal const double MinChunkSeconds = 8;
    internal const double MaxChunkSeconds = 32;
}
