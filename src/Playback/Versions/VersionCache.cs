using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Platform.Errors;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Playback.Versions;

/// <summary>
/// What can be played now, as Catalog says. A complete version is kept until Catalog tells of a change; one that still
/// grows, a media that is not there, and everything while changes cannot be heard, for <see cref="ShortAge"/>.
/// Many requests for one media make one call.
/// </summary>
internal sealed class VersionCache(Wire.Catalog.CatalogClient catalog, TimeProvider clock) : IDisposable
{
    public static readonly TimeSpan ShortAge = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan CatalogDeadline = TimeSpan.FromSeconds(5);

    /// <summary>In segments of all versions together; about 100 bytes each with their lines of manifests.</summary>
    private const long WeightLimit = 2_000_000;

    /// <summary>In segments: the slot, its tasks and the words of a refusal are up to 2 KB, whatever the id.</summary>
    private const long SlotWeight = 20;

    private readonly WeightedLru<MediaId, Slot> slots = new(WeightLimit);
    private readonly CancellationTokenSource stopping = new();
    private volatile bool hearsChanges;

    /// <exception cref="HexcastException">not_found, not_playable, unavailable.</exception>
    public ValueTask<PlayableVersion> GetAsync(MediaId mediaId, CancellationToken cancel)
    {
        var found = slots.TryGet(mediaId, out var slot);
        var hit = found && IsFresh(slot);
        PlaybackTelemetry.NoteLookup(hit);
        if (hit)
        {
            return slot.Load is { IsCompletedSuccessfully: true, Result: var loaded }
                ? ValueTask.FromResult(loaded.Get())
                : WaitAsync(slot, cancel);
        }

        var before = slot;
        var mine = new Slot(clock.GetTimestamp());
        slot = slots.GetOrReplace(mediaId, IsFresh, mine, SlotWeight);
        if (ReferenceEquals(slot, mine))
        {
            // Not the caller's cancellation: others wait for the same answer.
            mine.Start(LoadAsync(mediaId, mine, found ? before : null));
        }

        return WaitAsync(slot, cancel);
    }

    /// <summary>The same; null while nothing can be played.</summary>
    public async Task<PlayableVersion?> FindAsync(MediaId mediaId, CancellationToken cancel)
    {
        try
        {
            return await GetAsync(mediaId, cancel);
        }
        catch (HexcastException nothing) when (nothing.Code is ErrorCodes.NotPlayable or ErrorCodes.NotFound)
        {
            return null;
        }
    }

    /// <summary>The media changed or went. A load under way may hold the old state, so its slot goes too.</summary>
    public void Forget(MediaId mediaId) => slots.Remove(mediaId);

    /// <summary>From now on <see cref="Forget"/> is called for every change. What was loaded before is not trusted.
    /// </summary>
    public void HearChanges()
    {
        slots.Clear();
        hearsChanges = true;
    }

    public void MissChanges()
    {
        hearsChanges = false;
        slots.Clear();
    }

    public void Dispose()
    {
        stopping.Cancel();
        stopping.Dispose();
    }

    private bool IsFresh(Slot slot) => slot.Load switch
    {
        { IsCompleted: false } => true,
        // A failure is for those who waited; the next request asks again.
        { IsCompletedSuccessfully: false } or { Result.Refusal.Lasts: false } => false,
        { Result.Version.Index.Complete: true } when hearsChanges => true,
        _ => clock.GetElapsedTime(slot.Since) < ShortAge,
    };

    private static async ValueTask<PlayableVersion> WaitAsync(Slot slot, CancellationToken cancel) =>
        (await slot.Load.WaitAsync(cancel)).Get();

    private async Task<Loaded> LoadAsync(MediaId mediaId, Slot slot, Slot? before)
    {
        try
        {
            var wire = await catalog.GetVersionIndexAsync(
                new Wire.GetVersionIndexRequest { MediaId = mediaId.ToString() },
                deadline: clock.GetUtcNow().UtcDateTime + CatalogDeadline,
                cancellationToken: stopping.Token);
            var version = wire.ToPlayable(mediaId, clock.GetUtcNow());
            // Most looks at a growing version find nothing new, and the manifests are made already.
            if (before?.Load is { IsCompletedSuccessfully: true, Result.Version: { } known } && known.IsSameAs(version))
            {
                version = known;
            }

            slots.Reweigh(mediaId, slot, SlotWeight + version.Weight);
            return new Loaded(version, Refusal: null);
        }
        catch (RpcException failure)
        {
            var known = GrpcErrors.Unwrap(failure);
            return new Loaded(
                Version: null, new Refusal(known.Code, known.Message, failure.StatusCode == StatusCode.NotFound));
        }
    }

    /// <summary>An answer, or the way to it.</summary>
    private sealed class Slot(long since)
    {
        private readonly TaskCompletionSource<Task<Loaded>> started = new();
        private Task<Loaded>? load;

        public long Since { get; } = since;

        /// <summary>Completes with the answer; those who find the slot before its load began wait too.</summary>
        public Task<Loaded> Load => Volatile.Read(ref load) ?? started.Task.Unwrap();

        public void Start(Task<Loaded> task)
        {
            Volatile.Write(ref load, task);
            started.SetResult(task);
        }
    }

    private sealed record Loaded(PlayableVersion? Version, Refusal? Refusal)
    {
        public PlayableVersion Get() => Version ?? throw new HexcastException(Refusal!.Code, Refusal.Message);
    }

    /// <summary>Only its words: an exception holds kilobytes of the call that failed.</summary>
    /// <param name="Lasts">True: there is no such media, which is as good an answer as a version.</param>
    private sealed record Refusal(string Code, string Message, bool Lasts);
}
