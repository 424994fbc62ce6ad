namespace Hexcast.Playback.Tests.Support;

/// <summary>A clock whose time a test moves. Timers run on the system's: nothing here waits for them.</summary>
internal sealed class ManualClock : TimeProvider
{
    // Never behind the system's, by which gRPC tells whether a deadline has passed.
    private long ticks = DateTimeOffset.FromUnixTimeSeconds(System.GetUtcNow().ToUnixTimeSeconds() + 1).UtcTicks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public void Advance(TimeSpan time) => Interlocked.Add(ref ticks, time.Ticks);
}
