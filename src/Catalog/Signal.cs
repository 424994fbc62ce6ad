namespace Hexcast.Catalog;

/// <summary>Wakes one loop; set many times it wakes once.</summary>
internal sealed class Signal(TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim raised = new(0, 1);

    public void Set()
    {
        lock (raised)
        {
            if (raised.CurrentCount == 0)
            {
                raised.Release();
            }
        }
    }

    /// <summary>False when <paramref name="limit"/> passed first.</summary>
    public async Task<bool> WaitAsync(TimeSpan limit, CancellationToken cancel)
    {
        // The common case costs no timer.
        if (await raised.WaitAsync(TimeSpan.Zero, cancel))
        {
            return true;
        }

        using var timer = new CancellationTokenSource(limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancel);
        try
        {
            await raised.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose() => raised.Dispose();
}
