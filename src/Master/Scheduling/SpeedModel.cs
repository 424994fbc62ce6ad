using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>
/// What a task's path depends on besides its work: tasks of one pace keep their order whatever is learned.
/// </summary>
/// <param name="Kind">Of the task.</param>
/// <param name="IsAlone">Nothing follows it.</param>
/// <param name="IsOwn">Its job has shown how fast it goes: its work is in seconds.</param>
internal readonly record struct Pace(TaskKind Kind, bool IsAlone, bool IsOwn) : IComparable<Pace>
{
    public int CompareTo(Pace other) => Rank - other.Rank;

    private int Rank => ((int)Kind * 4) + (IsAlone ? 2 : 0) + (IsOwn ? 1 : 0);
}

/// <summary>
/// How long a task takes: media seconds a wall second for encodes, a plain time for the rest; moving averages over
/// commits, from priors that are right to an order of magnitude. A job's own chunks tell best how long its others take;
/// before the first of them is done, those of other jobs do, by the size of their pictures.
/// </summary>
internal sealed class SpeedModel
{
    private const double Weight = 0.2;
    private const double TypicalMediaSeconds = 60;

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
    }

    public static Pace PaceOf(TaskRun task) => new(
        task.Spec.Kind, task.Job.IsOneTask, task.Spec.Kind == TaskKind.EncodeChunk && task.Job.ChunkSpeed is not null);

    /// <summary>Media seconds, weighted; or seconds, where the job's own pace is known.</summary>
    public static double WorkOf(TaskRun task) => task.Spec.Kind switch
    {
        TaskKind.EncodeChunk => task.Job.ChunkSpeed is { } own
            ? task.Spec.MediaSeconds / own
            : task.Spec.MediaSeconds * task.Job.Figures.Weight,
        TaskKind.EncodeAudio => task.Spec.MediaSeconds,
        _ => 0,
    };

    /// <summary>The critical path: seconds from the task's start to the job's end, if every node were free.</summary>
    public double RemainingPathSeconds(TaskRun task) => PathSeconds(PaceOf(task), WorkOf(task));

    public double PathSeconds(Pace pace, double work) => Seconds(pace, work) + (pace.IsAlone ? 0 : pace.Kind switch
    {
        TaskKind.Publish or TaskKind.Storyboard => 0,
        TaskKind.Probe => (TypicalMediaSeconds / figures[TaskKind.EncodeAudio]) + figures[TaskKind.Publish],
        TaskKind.EncodeChunk => Math.Max(figures[TaskKind.Publish], figures[TaskKind.Storyboard]),
        _ => figures[TaskKind.Publish],
    });

    /// <summary>How long the task itself takes.</summary>
    public double Seconds(TaskRun task) => Seconds(PaceOf(task), WorkOf(task));

    private double Seconds(Pace pace, double work) => pace switch
    {
        { IsOwn: true } => work,
        { Kind: TaskKind.EncodeChunk or TaskKind.EncodeAudio } => work / figures[pace.Kind],
        _ => figures[pace.Kind],
    };

    private static double Blend(double known, double measured) => known + (Weight * (measured - known));
}
