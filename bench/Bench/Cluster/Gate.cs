namespace Hexcast.Bench.Cluster;

/// <summary>Shut, nobody gets through; at first it is.</summary>
internal sealed class Gate
{
    private volatile TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task WaitAsync(CancellationToken cancel) =>
        opened.Task.IsCompleted ? Task.CompletedTask : opened.Task.WaitAsync(cancel);

    public void Open() => opened.TrySetResult();

    public void Shut() => opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
