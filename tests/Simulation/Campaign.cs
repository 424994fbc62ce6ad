using System.Diagnostics;
using System.Globalization;
using Hexcast.Simulation.Coordinators;
using Hexcast.Simulation.Jobs;

namespace Hexcast.Simulation;

/// <summary>./hexcast sim --seeds N [--from K]: many runs on all cores, and what they went through.</summary>
internal static class Campaign
{
    private const string Usage =
        "usage: ./hexcast sim [--groups | --jobs] [--seeds N] [--from K] [--tell]    (--groups: coordinators; " +
        "--jobs: masters and workers on coordinators; --tell: one seed, in words)";

    private const int MostFailuresShown = 10;

    private const int SeedsBetweenSigns = 10_000;

    private static readonly Dictionary<string, Func<ulong, Action<string>?, Journey>> Layers = new()
    {
        [""] = Run.Of,
        ["--groups"] = GroupRun.Of,
        ["--jobs"] = JobRun.Of,
    };

    public static int Begin(string[] arguments)
    {
        string[] named = [.. arguments.Where(a => a.Length > 0 && Layers.ContainsKey(a))];
        if (named.Length > 1
            || !TryRead([.. arguments.Where(a => !named.Contains(a))], out var seeds, out var from, out var isTold))
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }
        var layer = named.FirstOrDefault() ?? "";
        if (isTold)
        {
            return Tell(from, Layers[layer]);
        }
        var started = Stopwatch.GetTimestamp();
        var (sums, failures) = Of(from, seeds, Layers[layer]);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        foreach (var (seed, what) in failures.Take(MostFailuresShown))
        {
            var option = layer.Length > 0 ? $"{layer} " : "";
            Console.Error.WriteLine($"seed {seed}: {what}\n  again: ./hexcast sim {option}--seeds 1 --from {seed}");
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{seeds} seeds from {from}: {failures.Count} failed, {seeds / seconds:0} seeds/s; {sums.Covered}"));
        return failures.Count == 0 ? 0 : 1;
    }

    /// <summary>Runs of one layer: what they went through, and those that failed, by seed.</summary>
    public static (Sums Sums, IReadOnlyList<(ulong Seed, string What)> Failures) Of(
        ulong from, int seeds, Func<ulong, Action<string>?, Journey> run)
    {
        var runs = 0;
        var (sums, failures) = (new Sums(), new List<(ulong Seed, string What)>());
        var gate = new Lock();
        Parallel.For(0, seeds, i =>
        {
            var seed = from + (ulong)i;
            try
            {
                var journey = run(seed, null);
                lock (gate)
                {
                    sums.Add(journey);
                    if (++runs % SeedsBetweenSigns == 0)
                    {
                        Console.Error.WriteLine($"{runs} of {seeds}");
                    }
                }
            }
            catch (ViolationException violation)
            {
                lock (gate)
                {
                    failures.Add((seed, violation.Message));
                }
            }
        });
        return (sums, [.. failures.OrderBy(f => f.Seed)]);
    }

    private static int Tell(ulong seed, Func<ulong, Action<string>?, Journey> run)
    {
        try
        {
            run(seed, Console.WriteLine);
            return 0;
        }
        catch (ViolationException violation)
        {
            Console.WriteLine($"seed {seed}: {violation.Message}");
            return 1;
        }
    }

    private static bool TryRead(string[] arguments, out int seeds, out ulong from, out bool isTold)
    {
        (seeds, from, isTold) = (1_000, 1, false);
        for (var i = 0; i < arguments.Length; i++)
        {
            var isRead = arguments[i] switch
            {
                "--seeds" => int.TryParse(Value(ref i), NumberStyles.None, CultureInfo.InvariantCulture, out seeds)
                    && seeds > 0,
                "--from" => ulong.TryParse(Value(ref i), NumberStyles.None, CultureInfo.InvariantCulture, out from),
                "--tell" => isTold = true,
                _ => false,
            };
            if (!isRead)
            {
                return false;
            }
        }
        return true;

        string? Value(ref int i) => arguments.ElementAtOrDefault(++i);
    }
}
