using Hexcast.Raft;

namespace Hexcast.Simulation;

/// <summary>What one run has to bear. Each seed switches some troubles on and others off: a mistake that hides behind
/// constant chaos shows where only one thing goes wrong.</summary>
internal record Weather
{
    public required int Voters { get; init; }

    public required TimeSpan Trouble { get; init; }

    public required double Loss { get; init; }

    public required double Duplication { get; init; }

    public required double LateMessages { get; init; }

    public required bool Partitions { get; init; }

    public required bool OneWayCuts { get; init; }

    public required bool Crashes { get; init; }

    /// <summary>Whoever is elected or has just voted dies more often than others: with half of what it had to say
    /// unsaid.</summary>
    public required bool DeathAtElections { get; init; }

    /// <summary>See <see cref="Simulation.Turns"/>. Its own weather: who dies at once answers nobody, and so hides what
    /// comes of a leader that goes on after it has been replaced.</summary>
    public required bool Turns { get; init; }

    public required bool Pauses { get; init; }

    public required bool SlowDisks { get; init; }

    /// <summary>Durable entries that cannot be read at a restart, one node at a time.</summary>
    public required bool Damage { get; init; }

    public required bool MemberChanges { get; init; }

    public required bool Transfers { get; init; }

    /// <summary>Entries between two snapshots; 0: none.</summary>
    public required int SnapshotEvery { get; init; }

    /// <summary>How far the fastest clock runs from the slowest.</summary>
    public required double ClockSkew { get; init; }

    /// <summary>Time between two strokes of fate.</summary>
    public required double StrokeMs { get; init; }

    public required int Clients { get; init; }

    public required int Keys { get; init; }

    public required RaftOptions Options { get; init; }

    public static Weather Of(Dice dice)
    {
        var voters = dice.Roll(0.1) ? 1 : dice.Roll(0.6) ? 3 : 5;
        var trouble = dice.Between(2_000, 7_000);
        var milliseconds = (int)trouble.TotalMilliseconds;
        return new Weather
        {
            Voters = voters,
            Trouble = trouble,
            Loss = dice.Roll(0.5) ? 0 : dice.Roll(0.7) ? 0.02 : 0.2,
            Duplication = dice.Roll(0.5) ? 0 : 0.1,
            LateMessages = dice.Roll(0.5) ? 0 : dice.Roll(0.7) ? 0.02 : 0.3,
            Partitions = dice.Roll(0.6),
            OneWayCuts = dice.Roll(0.4),
            Crashes = dice.Roll(0.7),
            DeathAtElections = dice.Roll(0.3),
            Turns = milliseconds % 8 == 1,
            Pauses = dice.Roll(0.3),
            SlowDisks = dice.Roll(0.4),
            Damage = voters > 1 && dice.Roll(0.3),
            MemberChanges = dice.Roll(0.4),
            Transfers = dice.Roll(0.3),
            SnapshotEvery = dice.Roll(0.5) ? 0 : 5 + dice.Below(60),
            ClockSkew = dice.Roll(0.5) ? 0 : 0.1,
            StrokeMs = dice.Roll(0.3) ? 120 : 500,
            Clients = 2 + dice.Below(4),
            Keys = 1 + dice.Below(3),
            Options = new RaftOptions
            {
                MaximumInflightMessages = dice.Roll(0.3) ? 1 + dice.Below(2) : 64,
                MaximumMessageEntries = dice.Roll(0.4) ? 1 : 64,
                EntriesKeptBehindSnapshot = dice.Roll(0.5) ? 0 : dice.Below(20),
                SnapshotChunkBytes = 16,
                PromotionLagEntries = 20,
                ChunkTimeout = TimeSpan.FromMilliseconds(200),
                ReadTimeout = TimeSpan.FromMilliseconds(500),
                // Without it there are more elections, and some mistakes show in many only.
                MaximumPatience = TimeSpan.FromMilliseconds(milliseconds % 3 == 0 ? 600 : 0),
            },
        };
    }
}
