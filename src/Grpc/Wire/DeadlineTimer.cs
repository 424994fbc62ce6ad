namespace Grpc.Wire;

/// <summary>Calls back once, not before the deadline; waits in parts for what is too far for one timer.</summary>
sealed class DeadlineTimer : IDisposable
{
    static readonly TimeSpan MaxWait = TimeSpan.FromDays(40);
    static readonly TimeSpan MinWait = TimeSpan.FromMilliseconds(1);

    readonly TimeProvider _time;
    readonly DateTime _deadline;
    readonly Action _passed;
    readonly ITimer _timer;

    public DeadlineTimer(TimeProvider time, DateTime deadline, Action passed)
    {
        _time = time;
        _deadline = deadline;
        _passed = passed;
        _timer = time.CreateTimer(
            static state => ((DeadlineTimer)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Arm(deadline - time.GetUtcNow().UtcDateTime);
    }

    public void Dispose() => _timer.Dispose();

    void Tick()
    {
        var left = _deadline - _time.GetUtcNow().UtcDateTime;
        if (left <= TimeSpan.Zero)
            _passed();
        else
            Arm(left);
    }

    void Arm(TimeSpan left)
    {
        // Timers count whole milliseconds: rounding up by one avoids a spin of early ticks.
        var wait = left <= TimeSpan.Zero ? TimeSpan.Zero : left + MinWait;
        _timer.Change(wait < MaxWait ? wait : MaxWait, Timeout.InfiniteTimeSpan);
    }
}
