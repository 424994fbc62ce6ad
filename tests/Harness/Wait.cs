namespace Hexcast.Harness;

/// <summary>Waits for a condition, with a limit and words for when it never comes.</summary>
public static class Wait
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    public static async Task ForAsync(Func<Task<bool>> condition, TimeSpan limit, Func<string> otherwise)
    {
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        while (!await condition())
        {
            if (clock.GetElapsedTime(start) > limit)
            {
                throw new TimeoutException(otherwise());
            }

            await Task.Delay(Interval, clock);
        }
    }
}
