using System.Collections.Concurrent;
using Hexcast.Contracts.V1;

namespace Hexcast.Catalog;

/// <summary>
/// Tells watchers that a media has changed. A watcher holds one wake-up, not a queue: it reads the newest state,
/// however much it has slept through.
/// </summary>
internal sealed class MediaChanges(TimeProvider clock)
{
    private const int WatcherLimit = 10_000;

    private readonly ConcurrentDictionary<Watcher, bool> watchers = new();
    private readonly ConcurrentDictionary<string, ProgressReport> progress = new(StringComparer.Ordinal);

    /// <summary>Watches one media, or all where the id is empty. Null when too many watch.</summary>
    /// <param name="progress">Of all: wakes for progress too, which of one media it always does.</param>
    public Watcher? Watch(string mediaId, bool progress = false)
    {
        var watcher = new Watcher(this, mediaId, progress, new Signal(clock));
        watchers[watcher] = true;
        if (watchers.Count <= WatcherLimit)
        {
            return watcher;
        }

        watcher.Dispose();
        return null;
    }

    public void Notify(string mediaId)
    {
        foreach (var (watcher, _) in watchers)
        {
            if (watcher.MediaId.Length == 0 || watcher.MediaId == mediaId)
            {
                watcher.Changed.Set();
            }
        }
    }

    /// <summary>What the running tasks have reached; not durable, the last report stands.</summary>
    public void Report(string mediaId, IReadOnlyList<JobTask> tasks)
    {
        progress[mediaId] = new ProgressReport(tasks);
        foreach (var (watcher, _) in watchers)
        {
            if (watcher.MediaId == mediaId || watcher.Progress)
            {
                watcher.Changed.Set();
            }
        }
    }

    public void ForgetProgress(string mediaId) => progress.TryRemove(mediaId, out _);

    public ProgressReport? Progress(string mediaId) => progress.GetValueOrDefault(mediaId);

    /// <summary>Of every media whose job runs.</summary>
    public IEnumerable<KeyValuePair<string, ProgressReport>> Running => progress;

    internal sealed class Watcher(MediaChanges owner, string mediaId, bool progress, Signal changed) : IDisposable
    {
        public string MediaId => mediaId;

        public bool Progress => progress;

        public Signal Changed => changed;

        // The signal itself holds no handle, and a notification may still be on its way to it.
        public void Dispose() => owner.watchers.TryRemove(this, out _);
    }
}

/// <summary>Compared by reference: another report is another object.</summary>
internal sealed class ProgressReport(IReadOnlyList<JobTask> tasks)
{
    public IReadOnlyList<JobTask> Tasks => tasks;
}
