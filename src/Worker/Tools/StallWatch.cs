namespace Hexcast.Worker.Tools;

/// <summary>Knows when a tool last made headway.</summary>
/// <param name="headStart">More time than the limit until the first headway.</param>
internal sealed class StallWatch(TimeProvider clock, TimeSpan limit, TimeSpan headStart)
{
    // Often enough that a kill comes within a quarter of the limit, seldom enough to cost nothing.
    private static readonly TimeSpan LongestCheckInterval = TimeSpan.FromSeconds(5);

    private long lastHeadway = clock.GetTimestamp();
    private volatile bool moves;

    /// <summary>How long the tool may go without headway now.</summary>
    public TimeSpan Limit => moves ? limit : limit + headStart;

    public void Headway()
    {
        Volatile.Write(ref lastHeadway, clock.GetTimestamp());
        moves = true;
    }

    /// <summary>Ends when there was no headway for the limit.</summary>
    public async Task WaitForStallAsync(CancellationToken cancel)
    {
        var interval = limit / 4 < LongestCheckInterval ? limit / 4 : LongestCheckInterval;
        while (clock.GetElapsedTime(Volatile.Read(ref lastHeadway)) < Limit)
        {
            await Task.Delay(interval, clock, cancel);
        }
    }
}
