namespace Grpc.Core.Utils;

/// <summary>Whole streams at once.</summary>
public static class AsyncStreamExtensions
{
    public static async Task ForEachAsync<T>(this IAsyncStreamReader<T> streamReader, Func<T, Task> asyncAction)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(asyncAction);
        await foreach (var message in streamReader.ReadAllAsync())
            await asyncAction(message);
    }

    public static async Task<List<T>> ToListAsync<T>(this IAsyncStreamReader<T> streamReader)
        where T : class
    {
        var messages = new List<T>();
        await foreach (var message in streamReader.ReadAllAsync())
            messages.Add(message);
        return messages;
    }

    /// <param name="streamWriter">Where to.</param>
    /// <param name="elements">The messages.</param>
    /// <param name="complete">Whether they are the last.</param>
    public static async Task WriteAllAsync<T>(
        this IClientStreamWriter<T> streamWriter, IEnumerable<T> elements, bool complete = true)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(streamWriter);
        ArgumentNullException.ThrowIfNull(elements);
        foreach (var message in elements)
            await streamWriter.WriteAsync(message);
        if (complete)
            await streamWriter.CompleteAsync();
    }

    public static async Task WriteAllAsync<T>(this IServerStreamWriter<T> streamWriter, IEnumerable<T> elements)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(streamWriter);
        ArgumentNullException.ThrowIfNull(elements);
        foreach (var message in elements)
            await streamWriter.WriteAsync(message);
    }
}
