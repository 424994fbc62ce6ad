using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>One task of the graph. Rank is the order in which a job's ready tasks are handed out.</summary>
internal sealed record TaskSpec(string Id, TaskKind Kind, int Chunk, double MediaSeconds, int Rank);

/// <summary>
/// A job's tasks: probe → {every chunk, audio, poster, subtitles} → publish, and every chunk → storyboard. All that a
/// viewer needs for the first picture ranks first: probe, chunk 0, audio. Then what is short and others wait for; then
/// the other chunks in order; last the storyboard, beside the publish task. The job is done when all are committed.
/// </summary>
internal static class JobGraph
{
    public const string ProbeId = "probe";
    public const string PublishId = "publish";

    /// <summary>22 hours of 4 s each. Above it the publish task's message would outgrow what gRPC carries.</summary>
    public const int ChunkLimit = 20_000;

    private const int RankOfChunk0 = 1;
    private const int RankOfPublish = 3;
    private const int RankOfPoster = 4;
    private const int RankOfSubtitles = 5;

    public static TaskSpec Probe { get; } = new(ProbeId, TaskKind.Probe, 0, 0, 0);

    /// <summary>The task of a job that has only this one.</summary>
    public static TaskSpec Only(OneTask task) => task.WorkCase switch
    {
        OneTask.WorkOneofCase.Probe => Probe,
        OneTask.WorkOneofCase.Chunk => new(
            $"chunk-{task.Chunk.Chunk:D4}", TaskKind.EncodeChunk, task.Chunk.Chunk, task.MediaSeconds, 0),
        OneTask.WorkOneofCase.Audio => new("audio", TaskKind.EncodeAudio, 0, task.MediaSeconds, 0),
        OneTask.WorkOneofCase.Poster => new("poster", TaskKind.Poster, 0, 0, 0),
        OneTask.WorkOneofCase.Publish => new(PublishId, TaskKind.Publish, 0, 0, 0),
        OneTask.WorkOneofCase.Storyboard => new("storyboard", TaskKind.Storyboard, 0, 0, 0),
        OneTask.WorkOneofCase.Subtitles => new("subtitles", TaskKind.Subtitles, 0, 0, 0),
        _ => throw new InvalidOperationException($"no task is known for {task.WorkCase}"),
    };

    /// <summary>Every task but the probe.</summary>
    public static IEnumerable<TaskSpec> Expand(PlanSummary plan)
    {
        for (var chunk = 0; chunk < plan.ChunkSeconds.Count; chunk++)
        {
            yield return new TaskSpec(
                $"chunk-{chunk:D4}",
                TaskKind.EncodeChunk,
                chunk,
                plan.ChunkSeconds[chunk],
                chunk == 0 ? RankOfChunk0 : RankOfSubtitles + chunk);
        }

        if (plan.HasAudio)
        {
            yield return new TaskSpec("audio", TaskKind.EncodeAudio, 0, plan.DurationSeconds, 2);
        }

        yield return new TaskSpec("poster", TaskKind.Poster, 0, 0, RankOfPoster);
        if (plan.SubtitleStreams > 0)
        {
            yield return new TaskSpec("subtitles", TaskKind.Subtitles, 0, 0, RankOfSubtitles);
        }

        if (plan.Storyboard)
        {
            yield return new TaskSpec(
                "storyboard", TaskKind.Storyboard, 0, 0, RankOfSubtitles + plan.ChunkSeconds.Count);
        }

        yield return new TaskSpec(PublishId, TaskKind.Publish, 0, 0, RankOfPublish);
    }

    public static IEnumerable<string> Needs(TaskRun task) => task.Job.IsOneTask ? [] : task.Spec.Kind switch
    {
        TaskKind.Probe => [],
        TaskKind.Publish => task.Job.Tasks.Where(t => IsPart(t.Spec.Kind)).Select(t => t.Spec.Id),
        TaskKind.Storyboard =>
            task.Job.Tasks.Where(t => t.Spec.Kind == TaskKind.EncodeChunk).Select(t => t.Spec.Id),
        _ => [ProbeId],
    };

    /// <summary>What the publish task waits for.</summary>
    public static bool IsPart(TaskKind kind) =>
        kind is not (TaskKind.Probe or TaskKind.Publish or TaskKind.Storyboard);

    /// <summary>Null, or what is wrong with a probe's summary.</summary>
    public static string? Problem(PlanSummary? plan) => plan switch
    {
        null => "the probe's commit has no plan",
        { ChunkSeconds.Count: 0 } => "the plan has no chunk",
        { ChunkSeconds.Count: > ChunkLimit } => $"the plan has more than {ChunkLimit} chunks",
        _ when !plan.ChunkSeconds.All(s => s >= 0 && double.IsFinite(s)) => "the plan has a chunk without a length",
        _ => null,
    };
}
