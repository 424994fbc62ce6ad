using Hexcast.Contracts.V1;
using Hexcast.Media.IsoBmff;
using Microsoft.Extensions.Logging;

namespace Hexcast.Worker.Attempts;

/// <summary>Checks that the parts make one whole, and that every object is what its index says (I4).</summary>
internal sealed class PublishAttempt(ILogger<PublishAttempt> log)
{
    public async Task<TaskCommit> RunAsync(AttemptRun run, PublishWork work, CancellationToken cancel)
    {
        var plan = await run.Objects.ReadPlanAsync(work.Plan, cancel);
        List<(string Folder, AttemptIndex Index)> parts = [];
        foreach (var named in work.Indexes)
        {
            var bytes = await run.Objects.ReadAsync(named, AttemptIndex.MaxJsonBytes, cancel);
            parts.Add((named.Key[..(named.Key.LastIndexOf('/') + 1)], AttemptIndex.FromJson(bytes)));
        }

        if (PartsCheck.Inconsistency(plan, [.. parts.Select(p => p.Index)]) is { } problem)
        {
            throw new AttemptFailedException(
                FailureCodes.PartsInconsistent, $"The parts do not make one whole: {problem}.", permanent: true);
        }

        if (PartsCheck.LostFrames(plan, [.. parts.Select(p => p.Index)]) is > 0 and var lost)
        {
            log.LogWarning(
                "{Version} has {Lost} frames less than its source names packets: they could not be decoded",
                run.Task.Version, lost);
        }

        var objects = parts
            .SelectMany(p => p.Index.Renditions, (part, r) => (Key: part.Folder + r.ObjectName, Rendition: r))
            .ToList();
        for (var i = 0; i < objects.Count; i++)
        {
            var (key, rendition) = objects[i];
            await run.Objects.CheckAsync(key, rendition.ObjectLength, rendition.ObjectSha256, cancel);
            run.Tell((i + 1.0) / objects.Count, 0);
        }

        return new TaskCommit { WallSeconds = run.WallSeconds };
    }
}
