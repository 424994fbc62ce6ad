namespace Hexcast.EndToEnd;

/// <summary>What a class of tests shares that wants hosts of its own; where there can be none, the tests say why.
/// </summary>
/// <param name="hindrance">Why there can be none here, or null.</param>
/// <param name="start">Gets the folder of its data.</param>
public abstract class OnHosts<T>(string? hindrance, Func<string, Task<T>> start) : IAsyncLifetime
    where T : class, IAsyncDisposable
{
    private readonly TempFolder folder = new();
    private T? shared;

    public T Shared
    {
        get
        {
            Assert.SkipWhen(hindrance is not null, hindrance ?? "");
            return shared!;
        }
    }

    public async ValueTask InitializeAsync() => shared = hindrance is null ? await start(folder.Path) : null;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (shared is not null)
        {
            await shared.DisposeAsync();
        }

        folder.Dispose();
    }
}
