using Hexcast.Master.Scheduling;
using Hexcast.Platform.Errors;

namespace Hexcast.Master.Storage;

/// <summary>Where the master's records are durable: the coordinator, or memory in a simulation.</summary>
internal interface IJobStore
{
    /// <summary>
    /// Begins a term: from now on no write of an earlier one gets through, however late it arrives. All that is
    /// there; writes that follow are guarded by what was read.
    /// </summary>
    /// <exception cref="HexcastException">unavailable: this is no longer the mastership of that fence.</exception>
    Task<Loaded> LoadAsync(long fence, CancellationToken cancel);

    /// <summary>
    /// What has changed of the cluster's settings and rules since <see cref="LoadAsync"/>, for ever.
    /// </summary>
    IAsyncEnumerable<SettingsChanged> FollowSettingsAsync(CancellationToken cancel);

    /// <summary>
    /// All writes or none, durable when answered; no key twice. False: this is no longer the mastership of that fence,
    /// or somebody else has written a record. Any exception: unknown whether it was written. After both only
    /// <see cref="LoadAsync"/> helps.
    /// </summary>
    Task<bool> CommitAsync(long fence, IReadOnlyList<RecordWrite> writes, CancellationToken cancel);
}
