using Hexcast.Contracts.V1;

namespace Hexcast.Catalog;

/// <summary>How far a whole job is, for those who show one bar a media.</summary>
/// <param name="Fraction">0 to 1.</param>
/// <param name="Stage">"probe", "encode" or "publish": the first that is not done.</param>
internal readonly record struct JobFraction(double Fraction, string Stage)
{
    // What a task weighs against the others. Pictures take nearly all the time.
    private const double ChunkWeight = 20;
    private const double AudioWeight = 4;

    public static JobFraction Of(IReadOnlyList<JobTask> tasks)
    {
        double done = 0, all = 0;
        var stage = "publish";
        foreach (var task in tasks)
        {
            var weight = task.Kind switch
            {
                TaskKind.EncodeChunk => ChunkWeight,
                TaskKind.EncodeAudio => AudioWeight,
                _ => 1,
            };
            var committed = task.State == TaskState.Committed;
            all += weight;
            done += weight * (committed ? 1 : Math.Clamp(task.Fraction, 0, 1));
            if (!committed && task.Kind == TaskKind.Probe)
            {
                stage = "probe";
            }
            else if (!committed && stage == "publish" && weight > 1)
            {
                stage = "encode";
            }
        }

        return new JobFraction(all == 0 ? 0 : Math.Round(done / all, 3), stage);
    }
}
