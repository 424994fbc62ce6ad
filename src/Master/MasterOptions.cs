using System.ComponentModel.DataAnnotations;

namespace Hexcast.Master;

internal sealed record MasterOptions
{
    /// <summary>Jobs unfinished at once; over it Transcode answers resource_exhausted. 1 to 10000000.</summary>
    [Range(1, 10_000_000, ErrorMessage = "is 1 to 10000000 jobs")]
    public int QueueLimit { get; init; } = 1_000;

    /// <summary>How often a task may fail before its job does. 1 to 10.</summary>
    [Range(1, 10, ErrorMessage = "is 1 to 10 attempts")]
    public int AttemptLimit { get; init; } = 3;

    /// <summary>
    /// How long a worker's broken stream may take to come back before its tasks go to others. 0.1 to 60 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00", ErrorMessage = "is 00:00:00.1 to 00:01:00")]
    public TimeSpan StreamResumeWithin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a worker may be silent before it counts as dead: three heartbeats. 3 s to 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:03", "00:10:00", ErrorMessage = "is 00:00:03 to 00:10:00")]
    public TimeSpan WorkerDeadAfter { get; init; } = TimeSpan.FromSeconds(9);

    /// <summary>At this age a worker's stream is followed by another, without a break. 1 s to 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ErrorMessage = "is 00:00:01 to 1.00:00:00")]
    public TimeSpan StreamMaxAge { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>What a drained node still runs after so long is handed back. 1 s to 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ErrorMessage = "is 00:00:01 to 1.00:00:00")]
    public TimeSpan DrainHandBackAfter { get; init; } = TimeSpan.FromMinutes(5);
}
