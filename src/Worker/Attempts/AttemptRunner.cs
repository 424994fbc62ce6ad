using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Microsoft.Extensions.Logging;

namespace Hexcast.Worker.Attempts;

/// <summary>
/// Runs one attempt to an outcome, always. Unless it is a commit, no process, scratch file or object of the attempt
/// is left when it answers.
/// </summary>
internal sealed class AttemptRunner(
    Workbench bench,
    SourceCopies sources,
    ProbeAttempt probe,
    ChunkAttempt chunk,
    PublishAttempt publish,
    SubtitlesAttempt subtitles,
    StoryboardAttempt storyboard,
    NodeSettings node,
    ILogger<AttemptRunner> log)
{
    public async Task<AttemptOutcome> RunAsync(
        TaskAssignment task, Action<double, double> progress, CancellationToken cancel)
    {
        using var span = WorkerTelemetry.Begin(task, node.NodeId, bench.Clock);
        var outcome = await RunAsync(task, progress, span, cancel);
        span.End(outcome);
        return outcome;
    }

    private async Task<AttemptOutcome> RunAsync(
        TaskAssignment task, Action<double, double> progress, WorkerTelemetry.AttemptSpan span,
        CancellationToken cancel)
    {
        var key = AttemptKey.Of(task.Attempt);
        AttemptOutcome outcome;
        try
        {
            outcome = AttemptOutcome.Committed(await WorkAsync(task, key, progress, cancel));
            log.LogInformation(
                "{Attempt} of {MediaId} done in {DurationMs:0} ms", key, task.MediaId, span.Milliseconds);
            return outcome;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            outcome = AttemptOutcome.Failed(FailureCodes.Cancelled, "Cancelled.");
        }
        // The boundary of an attempt: whatever it throws, the master hears of it and the worker lives on.
        catch (Exception failure)
        {
            outcome = AttemptFailure.Outcome(failure);
            // The stack of what has a name says no more than the name; of a defect it says all there is.
            log.LogWarning(
                outcome.Failure!.Code == FailureCodes.Internal ? failure : null,
                "{Attempt} of {MediaId} failed with {Code}: {Reason}", key, task.MediaId,
                outcome.Failure.Code, outcome.Failure.Message);
        }

        await RemoveObjectsAsync(task.Prefix(), CancellationToken.None);
        return outcome;
    }

    /// <summary>Deletes what an attempt has written; the master's collection does it where this cannot.</summary>
    public async Task RemoveObjectsAsync(string prefix, CancellationToken cancel)
    {
        try
        {
            await bench.Objects.DeletePrefixAsync(prefix, cancel);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or HexcastException)
        {
            log.LogWarning("{Prefix} could not be deleted: {Reason}", prefix, failure.Message);
        }
    }

    private async Task<TaskCommit> WorkAsync(
        TaskAssignment task, AttemptKey key, Action<double, double> progress, CancellationToken cancel)
    {
        ObjectKey.Check(task.Prefix() + AttemptIndexFile.Name);
        using var folder = bench.Scratch.Open(key);
        // The whole is put together of what others have stored.
        using var source = task.WorkCase is TaskAssignment.WorkOneofCase.Publish or TaskAssignment.WorkOneofCase.None
            ? null : await sources.TakeAsync(task.SourceKey, cancel);
        var run = new AttemptRun(task, folder, bench, source, progress);
        return task.WorkCase switch
        {
            TaskAssignment.WorkOneofCase.Probe => await probe.RunAsync(run, cancel),
            TaskAssignment.WorkOneofCase.Chunk => await chunk.RunAsync(run, task.Chunk, cancel),
            TaskAssignment.WorkOneofCase.Audio => await AudioAttempt.RunAsync(run, task.Audio, cancel),
            TaskAssignment.WorkOneofCase.Poster => await PosterAttempt.RunAsync(run, task.Poster, cancel),
            TaskAssignment.WorkOneofCase.Subtitles => await subtitles.RunAsync(run, task.Subtitles, cancel),
            TaskAssignment.WorkOneofCase.Storyboard => await storyboard.RunAsync(run, task.Storyboard, cancel),
            TaskAssignment.WorkOneofCase.Publish => await publish.RunAsync(run, task.Publish, cancel),
            _ => throw new AttemptFailedException(
                FailureCodes.Unsupported, "This worker does not know this kind of task: update it.", permanent: true),
        };
    }
}
