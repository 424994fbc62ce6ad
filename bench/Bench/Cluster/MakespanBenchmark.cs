using Hexcast.Contracts.V1;

namespace Hexcast.Bench.Cluster;

/// <summary>
/// How long five workers take for random jobs, against the longer of the critical path and a fifth of all work: nobody
/// can be faster. The scheduler is the real one, encoder and clock are not: a seed gives the same figures everywhere.
/// </summary>
internal static class MakespanBenchmark
{
    private const int Workers = 5;
    private const int Seeds = 300;
    private const double Aim = 1.05;

    public static Task<IReadOnlyList<IReport>> RunAsync(Extent extent)
    {
        var runs = Enumerable.Range(1, extent.Of(Seeds, 10)).Select(seed => Run((ulong)seed)).ToList();
        (string Name, Func<MakespanRun, bool> Is)[] groups =
        [
            ("1 job", run => run.Jobs == 1), ("2 to 4 jobs", run => run.Jobs is > 1 and < 5),
            ("5 to 8 jobs", run => run.Jobs > 4), ("all", _ => true),
        ];
        return Task.FromResult<IReadOnlyList<IReport>>([new MakespanFigures(
            Workers, Aim, [.. groups.Select(group => new MakespanRow(group.Name, [.. runs.Where(group.Is)]))
                .Where(row => row.Runs.Count > 0)])]);
    }

    private static MakespanRun Run(ulong seed)
    {
        var random = new SeededNumbers(seed);
        var jobs = Enumerable.Range(1, random.Between(1, 8)).Select(i => RandomJob.Of($"job-{i:D2}", random)).ToList();
        var took = new SimulatedFleet(jobs, Workers).Run();
        var work = jobs.Sum(job => job.WorkSeconds);
        return new MakespanRun(
            jobs.Count, jobs.Sum(job => job.TaskSeconds.Count), took.TotalSeconds,
            Math.Max(jobs.Max(job => job.PathSeconds), work / Workers));
    }
}

/// <summary>The same in every run, wherever it is (SplitMix64).</summary>
internal sealed class SeededNumbers(ulong seed)
{
    private ulong state = seed;

    public double Below1()
    {
        state += 0x9e3779b97f4a7c15;
        var z = state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }

    public int Between(int least, int most) => least + (int)(Below1() * (most - least + 1));

    public double Between(double least, double most) => least + (Below1() * (most - least));
}

/// <summary>A video as its probe will find it, and how long each of its tasks will really take.</summary>
internal sealed class RandomJob
{
    private const double ChunkSeconds = 4;
    private static readonly int[] Heights = [1080, 720, 540, 360, 240];

    private RandomJob(string id, PlanSummary plan) => (Id, Plan) = (id, plan);

    public string Id { get; }

    public PlanSummary Plan { get; }

    public Dictionary<string, double> TaskSeconds { get; } = new(StringComparer.Ordinal);

    public double WorkSeconds => TaskSeconds.Values.Sum();

    /// <summary>Probe, the longest of what the publish task waits for, that; or chunks and the storyboard.</summary>
    public double PathSeconds
    {
        get
        {
            var chunk = TaskSeconds.Where(t => t.Key.StartsWith("chunk-", StringComparison.Ordinal)).Max(t => t.Value);
            var part = Math.Max(
                Math.Max(chunk, TaskSeconds.GetValueOrDefault("audio")),
                Math.Max(TaskSeconds["poster"], TaskSeconds.GetValueOrDefault("subtitles")));
            return TaskSeconds["probe"] + Math.Max(
                part + TaskSeconds["publish"], chunk + TaskSeconds.GetValueOrDefault("storyboard"));
        }
    }

    public static RandomJob Of(string id, SeededNumbers random)
    {
        var duration = random.Between(20.0, 600.0);
        var top = random.Between(0, 2);
        var plan = new PlanSummary
        {
            DurationSeconds = duration,
            HasAudio = random.Below1() < 0.9,
            Storyboard = random.Below1() < 0.7,
            SubtitleStreams = random.Below1() < 0.3 ? 1 : 0,
            SourceFrameRate = 30,
            SourceHeight = Heights[top],
            SourceWidth = Heights[top] * 16 / 9,
        };
        plan.Renditions.Add(Heights.Skip(top).Select(height => new PlannedRendition
        {
            Id = $"{height}p", Height = height, Width = height * 16 / 9,
        }));
        for (var at = 0.0; at < duration; at += ChunkSeconds)
        {
            plan.ChunkSeconds.Add(Math.Min(ChunkSeconds, duration - at));
        }

        var job = new RandomJob(id, plan);
        job.DecideTimes(random);
        return job;
    }

    // A film is harder or easier than another, and some of its chunks than others.
    private void DecideTimes(SeededNumbers random)
    {
        var pixels = Plan.Renditions.Sum(r => r.Width * r.Height) / (1280.0 * 720);
        var hardness = pixels * random.Between(0.5, 2.0);
        TaskSeconds["probe"] = random.Between(0.2, 1.0);
        for (var chunk = 0; chunk < Plan.ChunkSeconds.Count; chunk++)
        {
            TaskSeconds[$"chunk-{chunk:D4}"] = Plan.ChunkSeconds[chunk] * hardness * random.Between(0.6, 1.4);
        }

        TaskSeconds["poster"] = random.Between(0.3, 1.0);
        TaskSeconds["publish"] = random.Between(0.2, 1.0);
        if (Plan.HasAudio)
        {
            TaskSeconds["audio"] = Plan.DurationSeconds / random.Between(30.0, 50.0);
        }

        if (Plan.Storyboard)
        {
            TaskSeconds["storyboard"] = random.Between(0.5, 3.0);
        }

        if (Plan.SubtitleStreams > 0)
        {
            TaskSeconds["subtitles"] = random.Between(0.3, 1.0);
        }
    }
}
