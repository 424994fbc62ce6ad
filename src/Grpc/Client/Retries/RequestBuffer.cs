namespace Grpc.Net.Client.Retries;

/// <summary>
/// The messages of one call as they go out. While the call can still be tried again they are kept; once it is committed
/// to an attempt each is let go when it is sent.
/// </summary>
sealed class RequestBuffer(MethodRetries shared)
{
    readonly Lock _gate = new();
    readonly List<byte[]?> _frames = [];
    TaskCompletionSource _changed = NewSignal();
    long _heldBytes;
    int _sent;
    bool _isCompleted;
    int _attempt;
    bool _isBroken;
    bool _isOver;

    public bool IsCommitted { get; private set; }

    /// <summary>Adds a message. Too much to hold commits the call to the attempt that runs.</summary>
    /// <returns>The number of messages with it.</returns>
    public int Add(byte[] frame)
    {
        lock (_gate)
        {
            if (!IsCommitted && !_isOver && !TryHold(frame.Length))
                Commit();
            _frames.Add(frame);
            Pulse();
            return _frames.Count;
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
            _isBroken = false;
        }
    }

    /// <summary>An attempt takes no more messages; an earlier one than that which runs may say so late.</summary>
    public void Break(int attempt)
    {
        lock (_gate)
        {
            if (attempt != _attempt)
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
    public async ValueTask<byte[]?> GetAsync(int index, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (index < _frames.Count)
                {
                    return _frames[index]
                        ?? throw new IOException("The connection was lost, and messages that were sent are not kept.");
                }

                if (_isCompleted || _isOver)
                    return null;
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>An attempt has sent the message of that index.</summary>
    public void OnSent(int index)
    {
        lock (_gate)
        {
            _sent = Math.Max(_sent, index + 1);
            if (IsCommitted)
                _frames[index] = null;
            Pulse();
        }
    }

    /// <summary>Waits until some attempt has sent so many messages: the back-pressure of the writer.</summary>
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

    void Commit()
    {
        if (IsCommitted)
            return;
        IsCommitted = true;
        shared.Release(_heldBytes);
        _heldBytes = 0;
        for (var i = 0; i < _sent; i++)
            _frames[i] = null;
    }

    void Pulse()
    {
        var changed = _changed;
        _changed = NewSignal();
        changed.TrySetResult();
    }

    static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
