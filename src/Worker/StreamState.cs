namespace Hexcast.Worker;

/// <summary>A stream to the master as the core sees it.</summary>
internal sealed class StreamState(int session)
{
    public int Session { get; } = session;

    public DateTimeOffset? OpenedAt { get; set; }

    public bool Welcomed { get; set; }

    /// <summary>Of the mastership at its other end, once it is welcomed.</summary>
    public long Fence { get; set; }

    public bool IsUnanswered(DateTimeOffset now, TimeSpan limit) => !Welcomed && now - OpenedAt >= limit;
}
