using Hexcast.Contracts.V1;
using Hexcast.Media.Ffmpeg;
using Hexcast.Media.IsoBmff;
using Hexcast.Media.Planning;
using Microsoft.Extensions.Logging;
using RenditionIndex = Hexcast.Media.IsoBmff.RenditionIndex;

namespace Hexcast.Worker.Attempts;

/// <summary>
/// Encodes one chunk into all video renditions from one decode. Where a seek landed wrong, or frames cannot be decoded,
/// it is done again from the beginning of the source, and what can really be decoded counts.
/// </summary>
internal sealed class ChunkAttempt(WorkerOptions options, ILogger<ChunkAttempt> log)
{
    public async Task<TaskCommit> RunAsync(AttemptRun run, ChunkWork work, CancellationToken cancel)
    {
        var plan = await run.Objects.ReadPlanAsync(work.Plan, cancel);
        if (work.Chunk < 0 || work.Chunk >= plan.Chunks.Count)
        {
            throw new AttemptFailedException(
                FailureCodes.Unsupported, $"The plan has {plan.Chunks.Count} chunks, none is {work.Chunk}.",
                permanent: true);
        }

        var chunk = plan.Chunks[work.Chunk];
        var seconds = plan.Seconds(chunk);
        var (renditions, mismatch) = await EncodeAsync(run, plan, chunk, tolerant: false, cancel);
        if (mismatch is not null)
        {
            log.LogWarning("{Attempt} is encoded again without seeking: {Reason}", AttemptKey.Of(run.Task.Attempt),
                mismatch.Message);
            (renditions, mismatch) = await EncodeAsync(run, plan, chunk, tolerant: true, cancel);
        }

        if (mismatch is not null)
        {
            throw new AttemptFailedException(
                FailureCodes.OutputMismatch, $"Chunk {chunk.Index} did not come out as planned: {mismatch.Message}.");
        }

        var index = await AttemptIndexFile.WriteAsync(run, renditions, cancel);
        return new TaskCommit { Result = index, MediaSeconds = seconds, WallSeconds = run.WallSeconds };
    }

    private Task<(IReadOnlyList<RenditionIndex> Renditions, AssemblyMismatch? Mismatch)> EncodeAsync(
        AttemptRun run, TranscodePlan plan, ChunkPlan chunk, bool tolerant, CancellationToken cancel)
    {
        var seconds = plan.Seconds(chunk);
        var encoder = run.Making("ffmpeg", view => EncodeArguments.Chunk(
            plan, chunk, view.Source, id => view.Output(RenditionSink.ObjectName(id)),
            seek: !tolerant, options.EncodeThreadsOf(chunk.Index, plan.Chunks.Count)));
        return SegmentedEncode.RunAsync(
            run,
            encoder with { HeadStart = ToSkip(plan, chunk, seek: !tolerant) },
            [.. plan.Video.Select(v => new SegmentedEncode.Output(
                v.Id, SegmentAssembler.ForVideo(plan, chunk, tolerateLostFrames: tolerant), seconds))],
            now => run.Tell((double)now.Frame / chunk.Frames, seconds * now.Frame / chunk.Frames),
            cancel);
    }

    /// <summary>
    /// What is decoded and dropped before the chunk's first frame, as long as it plays: a decoder is expected to be
    /// faster than that. Bounded by the longest source that is planned.
    /// </summary>
    internal static TimeSpan ToSkip(TranscodePlan plan, ChunkPlan chunk, bool seek)
    {
        var from = (seek ? chunk.SeekPts : null) ?? plan.Chunks[0].StartPts;
        return TimeSpan.FromSeconds(Math.Max(0, chunk.StartPts - from) * plan.SourceTimeBase.ToDouble());
    }
}

internal static class AttemptIndexFile
{
    public const string Name = "index.json";

    /// <summary>Written last: when it is there, everything that it names is.</summary>
    public static Task<ObjectRef> WriteAsync(
        AttemptRun run, IReadOnlyList<RenditionIndex> renditions, CancellationToken cancel)
    {
        var index = new AttemptIndex
        {
            Task = run.Task.Attempt.TaskId,
            Attempt = (int)run.Task.Attempt.Attempt,
            Renditions = renditions,
        };
        return run.Objects.WriteAsync(run.Key(Name), index.ToJson(), cancel);
    }
}
