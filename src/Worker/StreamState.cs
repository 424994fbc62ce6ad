namespace Hexcast.Worker;

/// <summary>A stream to the master as the core sees it.</summary>
internal sealed class StreamState(int session)
{
    public int Session { get; } = session;

    public DateTimeOffset? OpenedAt { get; set; }

    public bool Welcomed { get; set; }

    /// <summary>Its master was replaced: nothing more of it is listened to.</summary>
    public bool IsRefused { get; set; }

    public bool IsUnanswered(DateTimeOffset now, TimeSpan limit) => !Welcomed && now - OpenedAt >= limit;
}
