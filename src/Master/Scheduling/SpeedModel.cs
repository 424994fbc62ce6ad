using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>
/// How long a task takes: media seconds a wall second for encodes, a plain time for the rest; a moving average over
/// commits, from priors that are right to an order of magnitude.
/// </summary>
internal sealed class SpeedModel
{
    private const double Weight = 0.2;
    private const double TypicalMediaSeconds = 60;

    private double chunkSpeed = 1;
    private double audioSpeed = 40;
    private readonly Dictionary<TaskKind, double> wallSeconds = new()
    {
        [TaskKind.Probe] = 0.5,
        [TaskKind.Poster] = 1,
        [TaskKind.Publish] = 0.5,
        [TaskKind.Storyboard] = 0.5,
        [TaskKind.Subtitles] = 1,
    };

    public void Learn(TaskKind kind, double mediaSeconds, double wall)
    {
        if (!double.IsFinite(mediaSeconds) || !double.IsFinite(wall) || wall <= 0)
        {
            return;
        }

        switch (kind)
        {
            case TaskKind.EncodeChunk when mediaSeconds > 0:
                chunkSpeed += Weight * ((mediaSeconds / wall) - chunkSpeed);
                break;
            case TaskKind.EncodeAudio when mediaSeconds > 0:
                audioSpeed += Weight * ((mediaSeconds / wall) - audioSpeed);
                break;
            case var plain when wallSeconds.TryGetValue(plain, out var known):
                wallSeconds[plain] = known + (Weight * (wall - known));
                break;
        }
    }

    /// <summary>Seconds from the task's start to the job's end, if every worker were free.</summary>
    public double RemainingPathSeconds(TaskSpec task) => task.Kind switch
    {
        TaskKind.Probe => Cost(task) + (TypicalMediaSeconds / audioSpeed) + wallSeconds[TaskKind.Publish],
        TaskKind.Publish or TaskKind.Storyboard => Cost(task),
        _ => Cost(task) + wallSeconds[TaskKind.Publish],
    };

    private double Cost(TaskSpec task) => task.Kind switch
    {
        TaskKind.EncodeChunk => task.MediaSeconds / chunkSpeed,
        TaskKind.EncodeAudio => task.MediaSeconds / audioSpeed,
        _ => wallSeconds[task.Kind],
    };
}
