namespace Hexcast.Worker.Tools;

/// <summary>Knows when a tool last made headway.</summary>
internal sealed class StallWatch(TimeProvider clock, TimeSpan limit)
{
    // Often enough that a kill comes within a quarter of the limit, seldom enough to cost nothing.
    private static readonly TimeSpan LongestCheckInterval = TimeSpan.FromSeconds(5);

    private long lastHeadway = clock.GetTimestamp();

    public TimeSpan Limit { get; } = limit;

    public void Headway() => Volatile.Write(ref lastHeadway, clock.GetTimestamp());

    /// <summary>Ends when there was no headway for the limit.</summary>
    public async Task WaitForStallAsync(CancellationToken cancel)
    {
        var interval = Limit / 4 < LongestCheckInterval ? Limit / 4 : LongestCheckInterval;
        while (clock.GetElapsedTime(Volatile.Read(ref lastHeadway)) < Limit)
        {
            await Task.Delay(interval, clock, cancel);
        }
    }
}
