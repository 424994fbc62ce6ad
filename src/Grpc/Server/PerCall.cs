namespace Grpc.AspNetCore.Server;

/// <summary>An object for the time of one call; what was made for the call is disposed with it.</summary>
readonly struct PerCall<T>(T instance, bool isOwned)
    where T : class
{
    public T Instance { get; } = instance;

    public ValueTask ReleaseAsync()
    {
        if (!isOwned)
            return ValueTask.CompletedTask;
        if (Instance is IAsyncDisposable asyncDisposable)
            return asyncDisposable.DisposeAsync();
        (Instance as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }
}
