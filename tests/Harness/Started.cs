namespace Hexcast.Harness;

/// <summary>What consists of several processes.</summary>
internal static class Started
{
    /// <summary>Starts it; where that fails, nothing of it stays behind.</summary>
    public static async Task<T> WholeAsync<T>(T made, Func<T, Task> start)
        where T : IAsyncDisposable
    {
        try
        {
            await start(made);
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }
}
