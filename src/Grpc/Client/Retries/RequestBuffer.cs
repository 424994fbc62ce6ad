namespace Grpc.Net.Client.Retries;

/// <summary>
/// The messages of one call as they go out. While the call can still be tried again they are kept; once it is committed
/// to an attempt each is let go when it is sent. Each time that a body is sent from the first message is a run: an
/// attempt has several where the connection sends its request anew. Only the latest run counts.
/// </summary>
sealed class RequestBuffer(MethodRetries shared)
{
    readonly Lock _gate = new();
    readonly Dictionary<int, byte[]> _frames = [];
    TaskCompletionSource _changed = NewSignal();
    long _heldBytes;
    int _count;
    int _sent;
    int _sentByRun;
    bool _isCompleted;
    int _attempt;
    int _run;
    bool _isBroken;
    bool _isOver;

    public bool IsCommitted { get; private set; }

    /// <summary>Messages that are held; of a committed call those that are still to be sent.</summary>
    public int HeldFrames
    {
        get
        {
            lock (_gate)
                return _frames.Count;
        }
    }

    /// <summary>Adds a message. Too much to hold commits the call to the attempt that runs.</summary>
    /// <returns>The number of messages with it.</returns>
    public int Add(byte[] frame)
    {
        lock (_gate)
        {
            if (!IsCommitted && !_isOver && !TryHold(frame.Length))
                Commit();
            _frames.Add(_count++, frame);
            Pulse();
            return _count;
        }
    }

    public void Complete()
    {
        lock (_gate)
        {
            _isCompleted = true;
            Pulse();
        }
    }

    /// <summary>From now on there is one attempt only: what it has sent is not needed any more.</summary>
    public void CommitTo()
    {
        lock (_gate)
        {
            Commit();
            Pulse();
        }
    }

    public void StartAttempt(int attempt)
    {
        lock (_gate)
        {
            _attempt = attempt;
            Supersede();
        }
    }

    /// <summary>A body of that attempt is sent from the first message.</summary>
    /// <returns>The run's number.</returns>
    public int StartRun(int attempt)
    {
        lock (_gate)
        {
            if (attempt != _attempt)
                throw Superseded();
            Supersede();
            return _run;
        }
    }

    /// <summary>A run takes no more messages.</summary>
    public void Break(int run)
    {
        lock (_gate)
        {
            if (run != _run)
                return;
            _isBroken = true;
            Pulse();
        }
    }

    /// <summary>Lets everything go; the call is over.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isOver = true;
            Commit();
            Pulse();
        }
    }

    /// <summary>The message of that index, or null once there are no more.</summary>
    /// <exception cref="IOException">There is a later run, or the message was let go.</exception>
    public async ValueTask<byte[]?> GetAsync(int run, int index, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (run != _run)
                    throw Superseded();
                if (index < _count)
                {
                    return _frames.GetValueOrDefault(index)
                        ?? throw new IOException("The connection was lost, and messages that were sent are not kept.");
                }

                if (_isCompleted || _isOver)
                    return null;
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>A run has sent the message of that index.</summary>
    public void OnSent(int run, int index)
    {
        lock (_gate)
        {
            if (run != _run)
                return;
            _sentByRun = index + 1;
            _sent = Math.Max(_sent, _sentByRun);
            if (IsCommitted)
                _frames.Remove(index);
            Pulse();
        }
    }

    /// <summary>Waits until some run has sent so many messages: the back-pressure of the writer.</summary>
    public async Task SentAsync(int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_sent >= count)
                    return;
                if (_isOver || (_isBroken && IsCommitted))
                    throw new IOException("The server takes no more messages on this call.");
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    bool TryHold(int bytes)
    {
        if (_heldBytes + bytes > (shared.MaxCallBufferBytes ?? long.MaxValue) || !shared.TryReserve(bytes))
            return false;
        _heldBytes += bytes;
        return true;
    }

    // Not what an earlier run has sent: the latest one still needs it.
    void Commit()
    {
        if (IsCommitted)
            return;
        IsCommitted = true;
        shared.Release(_heldBytes);
        _heldBytes = 0;
        for (var i = 0; i < _sentByRun; i++)
            _frames.Remove(i);
    }

    void Supersede()
    {
        _run++;
        _sentByRun = 0;
        _isBroken = false;
        Pulse();
    }

    void Pulse()
    {
        var changed = _changed;
        _changed = NewSignal();
        changed.TrySetResult();
    }

    static IOException Superseded() => new("The call's messages are sent anew, and no longer here.");

    static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
