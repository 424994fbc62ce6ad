using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>
/// How long a task takes: media seconds a wall second for encodes, a plain time for the rest; moving averages over
/// commits, from priors that are right to an order of magnitude. A job's own chunks tell best how long its others take;
/// before the first of them is done, those of other jobs do, by the size of their pictures.
/// </summary>
internal sealed class SpeedModel
{
    private const double Weight = 0.2;
    private const double TypicalMediaSeconds = 60;

    /// <summary>A change by less leaves the queue in its order.</summary>
    private const double Noticeable = 1.1;

    // Chunks: weighted media seconds a wall second, see PlanFigures.
    private readonly Dictionary<TaskKind, double> figures = new()
    {
        [TaskKind.EncodeChunk] = 1,
        [TaskKind.EncodeAudio] = 40,
        [TaskKind.Probe] = 0.5,
        [TaskKind.Poster] = 1,
        [TaskKind.Publish] = 0.5,
        [TaskKind.Storyboard] = 0.5,
        [TaskKind.Subtitles] = 1,
    };

    private readonly Dictionary<TaskKind, double> noticed;

    public SpeedModel() => noticed = new(figures);

    /// <summary>Grows when what is known of a kind has changed so much that priorities may have, too.</summary>
    public int Version { get; private set; }

    public void Learn(TaskRun task, double mediaSeconds, double wallSeconds)
    {
        if (!double.IsFinite(mediaSeconds) || !double.IsFinite(wallSeconds) || wallSeconds <= 0)
        {
            return;
        }

        var (job, kind) = (task.Job, task.Spec.Kind);
        var isEncode = kind is TaskKind.EncodeChunk or TaskKind.EncodeAudio;
        if (isEncode && mediaSeconds <= 0)
        {
            return;
        }

        if (kind == TaskKind.EncodeChunk)
        {
            job.ChunkSpeed = Blend(job.ChunkSpeed ?? mediaSeconds / wallSeconds, mediaSeconds / wallSeconds);
        }

        var weight = kind == TaskKind.EncodeChunk ? job.Figures.Weight : 1;
        figures[kind] = Blend(figures[kind], isEncode ? weight * mediaSeconds / wallSeconds : wallSeconds);
        if (figures[kind] > noticed[kind] * Noticeable || figures[kind] < noticed[kind] / Noticeable)
        {
            noticed[kind] = figures[kind];
            Version++;
        }
    }

    /// <summary>The critical path: seconds from the task's start to the job's end, if every node were free.</summary>
    public double RemainingPathSeconds(TaskRun task) => Seconds(task) + (task.Job.IsOneTask ? 0 : task.Spec.Kind switch
    {
        TaskKind.Publish or TaskKind.Storyboard => 0,
        TaskKind.Probe => (TypicalMediaSeconds / figures[TaskKind.EncodeAudio]) + figures[TaskKind.Publish],
        TaskKind.EncodeChunk => Math.Max(figures[TaskKind.Publish], figures[TaskKind.Storyboard]),
        _ => figures[TaskKind.Publish],
    });

    /// <summary>How long the task itself takes.</summary>
    public double Seconds(TaskRun task) => task.Spec.Kind switch
    {
        TaskKind.EncodeChunk => task.Spec.MediaSeconds /
            (task.Job.ChunkSpeed ?? figures[TaskKind.EncodeChunk] / task.Job.Figures.Weight),
        TaskKind.EncodeAudio => task.Spec.MediaSeconds / figures[TaskKind.EncodeAudio],
        var plain => figures[plain],
    };

    private static double Blend(double known, double measured) => known + (Weight * (measured - known));
}
