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
        "--jobs: masters and workers; --tell: one seed, in words)";

    private const int MostFailuresShown = 10;

    private const int SeedsBetweenSigns = 10_000;

    public static int Begin(string[] arguments)
    {
        string[] layers = [.. arguments.Where(a => a is "--groups" or "--jobs")];
        if (layers.Length > 1
            || !TryRead([.. arguments.Where(a => !layers.Contains(a))], out var seeds, out var from, out var isTold))
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }
        var layer = layers.FirstOrDefault() ?? "";
        if (isTold)
        {
            return Tell(from, layer);
        }
        var started = Stopwatch.GetTimestamp();
        var (sums, groups, jobs) = (new Sums(), new GroupSums(), new JobSums());
        var failures = layer switch
        {
            "--groups" => Of(from, seeds, GroupRun.Of, groups.Add),
            "--jobs" => Of(from, seeds, JobClusterRun.Of, jobs.Add),
            _ => Of(from, seeds, Run.Of, sums.Add),
        };
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        foreach (var (seed, what) in failures.Take(MostFailuresShown))
        {
            var option = layer.Length > 0 ? $"{layer} " : "";
            Console.Error.WriteLine($"seed {seed}: {what}\n  again: ./hexcast sim {option}--seeds 1 --from {seed}");
        }
        var covered = layer switch
        {
            "--groups" => groups.Covered,
            "--jobs" => jobs.Covered,
            _ => sums.Covered,
        };
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{seeds} seeds from {from}: {failures.Count} failed, {seeds / seconds:0} seeds/s; {covered}"));
        return failures.Count == 0 ? 0 : 1;
    }

    public static (Sums Sums, IReadOnlyList<(ulong Seed, string What)> Failures) Of(ulong from, int seeds)
    {
        var sums = new Sums();
        var failures = Of(from, seeds, Run.Of, sums.Add);
        return (sums, failures);
    }

    /// <summary>Runs of any kind: those that failed, by seed.</summary>
    public static IReadOnlyList<(ulong Seed, string What)> Of<T>(
        ulong from, int seeds, Func<ulong, Action<string>?, T> run, Action<T> add)
    {
        var runs = 0;
        var failures = new List<(ulong Seed, string What)>();
        var gate = new Lock();
        Parallel.For(0, seeds, i =>
        {
            var seed = from + (ulong)i;
            try
            {
                var journey = run(seed, null);
                lock (gate)
                {
                    add(journey);
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
        return [.. failures.OrderBy(f => f.Seed)];
    }

    private static int Tell(ulong seed, string layer)
    {
        try
        {
            switch (layer)
            {
                case "--groups":
                    GroupRun.Of(seed, Console.WriteLine);
                    break;
                case "--jobs":
                    JobClusterRun.Of(seed, Console.WriteLine);
                    break;
                default:
                    Run.Of(seed, Console.WriteLine);
                    break;
            }
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

/// <summary>What many runs went through, together.</summary>
internal sealed class Sums
{
    private long _messages;
    private long _events;
    private long _acknowledged;
    private ulong _elections;
    private long _crashes;
    private long _damages;
    private long _snapshots;
    private long _installs;
    private long _memberChanges;
    private double _simulatedSeconds;

    public int Runs { get; private set; }

    public string Covered => string.Create(CultureInfo.InvariantCulture,
        $"{_simulatedSeconds:0} s simulated, {_events} events, {_messages} messages, {_acknowledged} writes " +
        $"acknowledged, {_elections} leaders, {_crashes} crashes, {_damages} damaged logs, {_snapshots} snapshots, " +
        $"{_installs} installed, {_memberChanges} changes of members asked for");

    public void Add(Journey journey)
    {
        Runs++;
        _messages += journey.Messages;
        _events += journey.Events;
        _acknowledged += journey.Acknowledged;
        _elections += journey.Elections;
        _crashes += journey.Crashes;
        _damages += journey.Damages;
        _snapshots += journey.Snapshots;
        _installs += journey.Installs;
        _memberChanges += journey.MemberChanges;
        _simulatedSeconds += journey.Simulated.TotalSeconds;
    }
}
