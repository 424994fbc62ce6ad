using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>What a worker is told of an attempt: all that it needs, so that it never asks back.</summary>
internal static class Assignment
{
    public static TaskAssignment Of(TaskRun task, uint attempt, long fence, string effectiveClass)
    {
        var job = task.Job.Record;
        var assignment = new TaskAssignment
        {
            Attempt = task.Key(attempt).ToMessage(),
            Fence = fence,
            MediaId = job.MediaId,
            Version = job.JobId,
            Class = effectiveClass,
            SourceKey = job.SourceKey,
            PresetName = job.PresetName,
            Traceparent = job.Traceparent,
            ReadyAtUnixMs = task.ReadySince.ToUnixTimeMilliseconds(),
        };
        if (job.Only is { } only)
        {
            return Fill(assignment, only);
        }

        var plan = task.Job.Tasks[0].Record.Result?.Clone();
        switch (task.Spec.Kind)
        {
            case TaskKind.Probe:
                assignment.Probe = new ProbeWork { Preset = job.Preset };
                break;
            case TaskKind.EncodeChunk:
                assignment.Chunk = new ChunkWork { Plan = plan, Chunk = task.Spec.Chunk };
                break;
            case TaskKind.EncodeAudio:
                assignment.Audio = new AudioWork { Plan = plan };
                break;
            case TaskKind.Poster:
                assignment.Poster = new PosterWork { Plan = plan };
                break;
            case TaskKind.Subtitles:
                assignment.Subtitles = new SubtitlesWork { Plan = plan };
                break;
            case TaskKind.Storyboard:
                assignment.Storyboard = new StoryboardWork { Plan = plan };
                assignment.Storyboard.Indexes.Add(Results(task.Job, TaskKind.EncodeChunk));
                break;
            case TaskKind.Publish:
                assignment.Publish = new PublishWork { Plan = plan };
                assignment.Publish.Indexes.Add(Results(task.Job, TaskKind.EncodeChunk, TaskKind.EncodeAudio));
                break;
            default:
                throw new InvalidOperationException($"no work is known for {task.Spec.Kind}");
        }

        return assignment;
    }

    private static TaskAssignment Fill(TaskAssignment assignment, OneTask only)
    {
        switch (only.WorkCase)
        {
            case OneTask.WorkOneofCase.Probe:
                assignment.Probe = only.Probe;
                break;
            case OneTask.WorkOneofCase.Chunk:
                assignment.Chunk = only.Chunk;
                break;
            case OneTask.WorkOneofCase.Audio:
                assignment.Audio = only.Audio;
                break;
            case OneTask.WorkOneofCase.Poster:
                assignment.Poster = only.Poster;
                break;
            case OneTask.WorkOneofCase.Publish:
                assignment.Publish = only.Publish;
                break;
            case OneTask.WorkOneofCase.Storyboard:
                assignment.Storyboard = only.Storyboard;
                break;
            case OneTask.WorkOneofCase.Subtitles:
                assignment.Subtitles = only.Subtitles;
                break;
        }

        return assignment;
    }

    private static IEnumerable<ObjectRef> Results(JobRun job, params TaskKind[] kinds) =>
        job.Tasks.Where(t => kinds.Contains(t.Spec.Kind)).Select(t => t.Record.Result.Clone());
}
