using System.Diagnostics;

namespace Hexcast.Coordination.Embedded;

/// <summary>
/// A thread of its own that takes all that waits at once, in order, and also wakes when it has said it wants to. Not
/// one of the pool's: a heartbeat or an fsync must not queue behind somebody else's work.
/// </summary>
internal sealed class Lane<T>
{
    private readonly object _gate = new();
    private readonly Func<TimeSpan> _wait;
    private readonly Action<IReadOnlyList<T>> _handle;
    private readonly Action<Exception> _failed;
    private readonly Action<IReadOnlyList<T>>? _left;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private List<T> _waiting = [];
    private bool _isClosed;

    /// <param name="wait">How long it may wait for more; asked before each wait.</param>
    /// <param name="handle">Gets what waited; nothing, when the wait was over. The list is its own until it returns.
    /// </param>
    /// <param name="failed">Gets what <paramref name="handle"/> threw; the lane is at its end then.</param>
    /// <param name="left">The last thing that its thread does: gets what was never handled.</param>
    public Lane(
        string name, Func<TimeSpan> wait, Action<IReadOnlyList<T>> handle, Action<Exception> failed,
        Action<IReadOnlyList<T>>? left = null)
    {
        (_wait, _handle, _failed, _left) = (wait, handle, failed, left);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
    }

    public Task Ended => _ended.Task;

    public void Start() => _thread.Start();

    /// <returns>False: it has ended, or so many wait already.</returns>
    public bool TryPost(T item, int limit = int.MaxValue)
    {
        lock (_gate)
        {
            if (_isClosed || _waiting.Count >= limit)
            {
                return false;
            }
            _waiting.Add(item);
            if (_waiting.Count == 1)
            {
                Monitor.Pulse(_gate);
            }
            return true;
        }
    }

    /// <summary>What waits is still handled; then the thread ends.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Run()
    {
        var taken = new List<T>();
        try
        {
            while (TakeAll(ref taken))
            {
                _handle(taken);
                taken.Clear();
            }
        }
        catch (Exception exception)
        {
            Close();
            _failed(exception);
        }
        finally
        {
            _left?.Invoke([.. taken, .. _waiting]);
            _ended.TrySetResult();
        }
    }

    private bool TakeAll(ref List<T> taken)
    {
        Debug.Assert(taken.Count == 0, "What was taken last is handled.");
        var wait = _wait();
        lock (_gate)
        {
            if (_waiting.Count == 0 && !_isClosed && wait > TimeSpan.Zero)
            {
                // Rounded up, or the last part of a millisecond would be spent awake.
                Monitor.Wait(_gate, (int)Math.Min(Math.Ceiling(wait.TotalMilliseconds), int.MaxValue));
            }
            (taken, _waiting) = (_waiting, taken);
            return taken.Count > 0 || !_isClosed;
        }
    }
}
