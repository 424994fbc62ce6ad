using Hexcast.Raft;
using Hexcast.Simulation.Coordinators;

namespace Hexcast.Simulation.Jobs;

/// <summary>What one run of masters and workers has to bear besides what befalls their coordinators.</summary>
internal sealed record JobWeather
{
    /// <summary>What befalls the coordinators, and with them the masters: each runs on one of their nodes.</summary>
    public required GroupWeather Sky { get; init; }

    /// <summary>Nodes stand for the mastership under leases, as on etcd, so it may be another node's than the log's.
    /// </summary>
    public required bool Stands { get; init; }

    public required int Workers { get; init; }

    public required int Users { get; init; }

    public required bool WorkerCrashes { get; init; }

    /// <summary>Streams break, and each end learns of it in its own time or never.</summary>
    public required bool Cuts { get; init; }

    /// <summary>A stream stands still one way, for longer than silence is borne.</summary>
    public required bool Stalls { get; init; }

    /// <summary>Requests and answers that get lost: calls come twice.</summary>
    public required double LostCalls { get; init; }

    public required bool FailingTasks { get; init; }

    /// <summary>Nodes that stop in order and start again.</summary>
    public required bool Restarts { get; init; }

    public required bool Drains { get; init; }

    public required bool Settings { get; init; }

    public required bool Cancels { get; init; }

    public required bool Deletes { get; init; }

    /// <summary>Clocks that are set, forth or back.</summary>
    public required bool ClockJumps { get; init; }

    /// <summary>A node that never comes back.</summary>
    public required bool OneStaysDown { get; init; }

    public required TimeSpan StreamMaxAge { get; init; }

    /// <summary>Nothing in it gives a reason to run a task twice.</summary>
    public required bool IsKind { get; init; }

    public static JobWeather Of(Dice dice)
    {
        // One run of eight has nothing but streams that grow old, or little else.
        var kind = dice.Roll(0.12);
        bool Has(double chance) => dice.Roll(chance) && !kind;
        var workers = 2 + dice.Below(3);
        return new JobWeather
        {
            Sky = SkyOf(dice, kind),
            IsKind = kind,
            Stands = Has(0.4),
            Workers = workers,
            Users = 2 + dice.Below(6),
            WorkerCrashes = Has(0.6),
            Cuts = Has(0.6),
            Stalls = Has(0.4),
            LostCalls = dice.Roll(0.5) ? 0 : 0.1,
            FailingTasks = Has(0.5),
            Restarts = Has(0.4),
            Drains = Has(0.4),
            Settings = dice.Roll(0.5),
            Cancels = Has(0.4),
            Deletes = Has(0.3),
            ClockJumps = Has(0.3),
            OneStaysDown = workers > 2 && Has(0.2),
            StreamMaxAge = dice.Roll(0.5) ? TimeSpan.FromMinutes(30) : dice.Between(2_000, 12_000),
        };
    }

    /// <summary>Rarer strokes and slower beats than where only coordinators are looked at: jobs have to get somewhere
    /// in between, and time is made of beats.</summary>
    private static GroupWeather SkyOf(Dice dice, bool kind)
    {
        var sky = GroupWeather.Of(dice);
        var beats = RaftOptions.For(TimeSpan.FromMilliseconds(dice.Roll(0.2) ? 300 : 1_000));
        return (kind ? sky.Cleared() : sky) with
        {
            Trouble = dice.Between(15_000, 40_000),
            StrokeMs = 1_500 + dice.Below(4_500),
            Limits = sky.Limits with
            {
                Raft = sky.Limits.Raft with
                {
                    ElectionTimeoutMinimum = beats.ElectionTimeoutMinimum,
                    ElectionTimeoutMaximum = beats.ElectionTimeoutMaximum,
                    HeartbeatInterval = beats.HeartbeatInterval,
                },
            },
        };
    }
}
