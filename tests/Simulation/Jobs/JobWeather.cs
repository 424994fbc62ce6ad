namespace Hexcast.Simulation.Jobs;

/// <summary>What one run of masters and workers has to bear: each seed has some of the troubles.</summary>
internal sealed record JobWeather
{
    public required TimeSpan Trouble { get; init; }

    public required int Workers { get; init; }

    public required int Users { get; init; }

    public required bool MasterDeaths { get; init; }

    /// <summary>A master that was replaced goes on for a while, and some still take it for the master.</summary>
    public required bool StaleMasters { get; init; }

    public required bool WorkerCrashes { get; init; }

    /// <summary>Streams break, and each end learns of it in its own time or never.</summary>
    public required bool Cuts { get; init; }

    /// <summary>A stream stands still one way, for longer than silence is borne.</summary>
    public required bool Stalls { get; init; }

    /// <summary>Requests and answers that get lost: calls come twice.</summary>
    public required double LostCalls { get; init; }

    /// <summary>Transactions whose answer never comes, and that are carried out late.</summary>
    public required double LostCommits { get; init; }

    public required bool SlowDisk { get; init; }

    public required bool FailingTasks { get; init; }

    /// <summary>Nodes that stop in order and start again.</summary>
    public required bool Restarts { get; init; }

    public required bool Drains { get; init; }

    public required bool Settings { get; init; }

    public required bool Cancels { get; init; }

    /// <summary>A node that never comes back.</summary>
    public required bool OneStaysDown { get; init; }

    public required TimeSpan StreamMaxAge { get; init; }

    /// <summary>Nothing in it gives a reason to run a task twice.</summary>
    public bool IsKind => !(MasterDeaths || StaleMasters || WorkerCrashes || Cuts || Stalls || SlowDisk || FailingTasks
        || Restarts || Drains || Cancels || OneStaysDown || LostCommits > 0);

    public static JobWeather Of(Dice dice)
    {
        // One run of eight has nothing but streams that grow old, or little else.
        var kind = dice.Roll(0.12);
        bool Has(double chance) => dice.Roll(chance) && !kind;
        var workers = 2 + dice.Below(3);
        return new JobWeather
        {
            Trouble = dice.Between(20_000, 60_000),
            Workers = workers,
            Users = 2 + dice.Below(6),
            MasterDeaths = Has(0.7),
            StaleMasters = Has(0.6),
            WorkerCrashes = Has(0.6),
            Cuts = Has(0.6),
            Stalls = Has(0.4),
            LostCalls = dice.Roll(0.5) ? 0 : 0.1,
            LostCommits = Has(0.4) ? 0.03 : 0,
            SlowDisk = Has(0.4),
            FailingTasks = Has(0.5),
            Restarts = Has(0.4),
            Drains = Has(0.4),
            Settings = dice.Roll(0.5),
            Cancels = Has(0.4),
            OneStaysDown = workers > 2 && Has(0.2),
            StreamMaxAge = dice.Roll(0.5) ? TimeSpan.FromMinutes(30) : dice.Between(2_000, 12_000),
        };
    }
}
