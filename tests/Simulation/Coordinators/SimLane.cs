using Hexcast.Coordination.Embedded;

namespace Hexcast.Simulation.Coordinators;

/// <summary>A thread that writes: takes all that waits at once, and is done with it some time later. It dies with its
/// process, and then what it was doing got as far as it got.</summary>
internal sealed class SimLane<T>(
    World world, Func<TimeSpan> duration, Func<TimeSpan> wait, Action<IReadOnlyList<T>> take, Action<Exception> failed)
{
    private List<T> _waiting = [];
    private List<T>? _doing;
    private bool _isGone;
    private int _alarm;

    public void Post(T item)
    {
        _waiting.Add(item);
        Begin();
    }

    /// <returns>What it was doing, to be cut off somewhere; null: nothing.</returns>
    public Action? Die()
    {
        _isGone = true;
        return _doing is { } doing ? () => take(doing) : null;
    }

    private void Begin()
    {
        if (_doing is not null || _isGone)
        {
            return;
        }
        (_doing, _waiting) = (_waiting, []);
        world.After(duration(), End);
    }

    private void End()
    {
        if (_isGone)
        {
            return;
        }
        var done = _doing!;
        _doing = null;
        try
        {
            take(done);
        }
        catch (Exception exception) when (exception is IOException or CoordinatorDataException)
        {
            failed(exception);
            return;
        }
        if (_isGone)
        {
            return;
        }
        var alarm = ++_alarm;
        if (_waiting.Count > 0)
        {
            Begin();
        }
        else if (wait() is var time && time < TimeSpan.MaxValue)
        {
            world.After(time, () =>
            {
                if (alarm == _alarm)
                {
                    Begin();
                }
            });
        }
    }
}
