using Grpc.Core;
using Hexcast.Catalog.Http;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Microsoft.Extensions.Logging;

namespace Hexcast.Catalog.Versions;

/// <summary>
/// Follows one version's job from Catalog's own cursor on. An event and the cursor behind it are one transaction, so
/// that whatever is repeated after a crash is known by its revision.
/// </summary>
internal sealed class JobFollower(
    CatalogStore store, Scheduler.SchedulerClient scheduler, AttemptReader attempts, MediaChanges changes,
    TimeProvider clock, ILogger<JobFollower> log)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);

    /// <summary>Ends when the job has ended or the media is gone.</summary>
    public async Task FollowAsync(string version, CancellationToken stop)
    {
        if (store.Read(connection => VersionTable.Find(connection, version)) is not { } row)
        {
            return;
        }

        try
        {
            await FollowToTheEndAsync(version, stop);
        }
        finally
        {
            changes.ForgetProgress(row.MediaId);
        }
    }

    /// <summary>Applies one durable event; false when it was applied before or the version is gone.</summary>
    public async Task<bool> ApplyAsync(
        VersionComposition composition, string version, JobEvent received, CancellationToken cancel)
    {
        var began = clock.GetUtcNow();
        var happened = await ReadAsync(version, received, cancel);
        var effects = composition.Step(happened);
        if (await ApplyAsync(composition, version, received.Revision, effects, cancel) is not { } media)
        {
            return false;
        }

        foreach (var enter in effects.OfType<CompositionEffect.Enter>())
        {
            CatalogTelemetry.NoteStage(media, version, enter.Stage, began, clock.GetUtcNow());
        }

        return true;
    }

    private async Task FollowToTheEndAsync(string version, CancellationToken stop)
    {
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (true)
        {
            try
            {
                if (await FollowOnceAsync(version, backoff, stop))
                {
                    return;
                }
            }
            catch (RpcException failure) when (failure.StatusCode == StatusCode.NotFound)
            {
                await LoseAsync(version, stop);
                return;
            }
            catch (RpcException) when (stop.IsCancellationRequested)
            {
                stop.ThrowIfCancellationRequested();
            }
            catch (RpcException failure)
            {
                log.LogInformation(
                    "Job {JobId}: the stream broke ({Status}), it is resumed", version, failure.StatusCode);
            }
            catch (Exception failure) when (!stop.IsCancellationRequested)
            {
                log.LogError(failure, "Job {JobId}: an event could not be applied, it is tried again", version);
            }

            await backoff.WaitAsync(stop);
        }
    }

    private async Task<bool> FollowOnceAsync(string version, Backoff backoff, CancellationToken stop)
    {
        if (store.Read(connection => VersionTable.Find(connection, version)) is not { Following: true } row)
        {
            return true;
        }

        var composition = store.Read(connection => VersionTable.LoadComposition(connection, version));
        var cursor = row.Cursor;
        var progress = new Dictionary<string, JobTask>(StringComparer.Ordinal);
        using var call = scheduler.WatchJob(
            new WatchJobRequest { JobId = version, AfterRevision = cursor, Follow = true }, cancellationToken: stop);
        await foreach (var received in call.ResponseStream.ReadAllAsync(stop))
        {
            backoff.Reset();
            if (received.Progress is { } report)
            {
                foreach (var task in report.Tasks)
                {
                    progress[task.TaskId] = task;
                }

                changes.Report(row.MediaId, [.. progress.Values]);
            }
            else if (received.Revision > cursor)
            {
                await ApplyAsync(composition, version, received, stop);
                cursor = received.Revision;
                if (store.Read(connection => VersionTable.Find(connection, version)) is not { Following: true })
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>The media as it is then; null when nothing was to be applied.</summary>
    private async Task<MediaRow?> ApplyAsync(
        VersionComposition composition, string version, long revision, IReadOnlyList<CompositionEffect> effects,
        CancellationToken cancel)
    {
        List<RenditionFacts> renditions =
            [.. VersionIndexBuilder.Renditions(composition).Select(RenditionSummary.Describe)];
        return await store.WriteAsync(
            write =>
            {
                if (VersionTable.Find(write.Connection, version, write.Transaction) is not { } row
                    || row.Cursor >= revision || write.Find(row.MediaId) is not { } media)
                {
                    return null;
                }

                foreach (var effect in effects)
                {
                    VersionTable.Save(write, version, effect);
                    media = VersionRules.Apply(media, version, effect, write.Now);
                }

                VersionTable.Advance(write, version, revision, renditions);
                return write.Update(media);
            },
            cancel);
    }

    private async Task<CompositionEvent> ReadAsync(string version, JobEvent received, CancellationToken cancel)
    {
        switch (received.EventCase)
        {
            case JobEvent.EventOneofCase.Planned:
                return new CompositionEvent.Planned(received.Planned.Summary);
            case JobEvent.EventOneofCase.Ended:
                return new CompositionEvent.Ended(received.Ended.State, received.Ended.Failure);
            case JobEvent.EventOneofCase.Restarted:
                return new CompositionEvent.Restarted();
            case JobEvent.EventOneofCase.Committed when received.Committed.Kind == TaskKind.Poster:
                return await attempts.IsThereAsync(received.Committed.Result, cancel)
                    ? new CompositionEvent.PosterCommitted(received.Committed.Result)
                    : new CompositionEvent.Noted();
            case JobEvent.EventOneofCase.Committed
                when received.Committed.Kind is TaskKind.Storyboard or TaskKind.Subtitles:
                return await ReadExtraAsync(version, received, cancel);
            case JobEvent.EventOneofCase.Committed
                when received.Committed.Kind is TaskKind.EncodeChunk or TaskKind.EncodeAudio:
                var committed = received.Committed;
                var prefix = ObjectKey.VersionPrefix(received.MediaId, version);
                var (part, why) = await attempts.ReadAsync(prefix, committed, cancel);
                return part is null
                    ? new CompositionEvent.PartUnusable(committed.TaskId, why)
                    : new CompositionEvent.PartCommitted(
                        committed.TaskId, committed.Kind, committed.Chunk, (int)committed.Attempt, part);
            default:
                return new CompositionEvent.Noted();
        }
    }

    // A viewer can do without: what cannot be used is as if it had not been made.
    private async Task<CompositionEvent> ReadExtraAsync(string version, JobEvent received, CancellationToken cancel)
    {
        var committed = received.Committed;
        if (committed.Result is null)
        {
            return new CompositionEvent.Noted();
        }

        var prefix = ObjectKey.VersionPrefix(received.MediaId, version);
        var (part, why) = committed.Kind == TaskKind.Storyboard
            ? await attempts.ReadStoryboardAsync(prefix, committed.Result, cancel)
            : await attempts.ReadSubtitlesAsync(prefix, committed.Result, cancel);
        if (part is not null)
        {
            return new CompositionEvent.ExtraCommitted(
                committed.TaskId, committed.Kind, (int)committed.Attempt, part);
        }

        log.LogWarning("Job {JobId}: {TaskId} cannot be used: {Reason}", version, committed.TaskId, why);
        return new CompositionEvent.Noted();
    }

    // The master has no such job: it was forgotten with its media, or the coordinator's data was removed.
    private async Task LoseAsync(string version, CancellationToken cancel)
    {
        var lost = new MediaFault(ErrorCodes.JobLost, "The master has lost this job. Retry makes a new one.", "");
        await store.WriteAsync(
            write =>
            {
                VersionTable.Follow(write, version, following: false);
                if (VersionTable.Find(write.Connection, version, write.Transaction) is { } row
                    && write.Find(row.MediaId) is { } media && media.JobId == version)
                {
                    var effect = new CompositionEffect.Enter(VersionStage.Failed, lost);
                    VersionTable.Save(write, version, effect);
                    write.Update(VersionRules.Apply(media, version, effect, write.Now));
                }

                return true;
            },
            cancel);
    }
}
