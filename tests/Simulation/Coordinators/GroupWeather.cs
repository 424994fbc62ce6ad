using Hexcast.Coordination.Embedded;
using Hexcast.Raft;

namespace Hexcast.Simulation.Coordinators;

/// <summary>What one run of a group of coordinators has to bear: each seed has some of the troubles.</summary>
internal sealed record GroupWeather
{
    public required int Voters { get; init; }

    public required TimeSpan Trouble { get; init; }

    public required double Loss { get; init; }

    public required double Duplication { get; init; }

    public required double LateMessages { get; init; }

    /// <summary>Requests that members pass on to their leader, or the answers, that get lost.</summary>
    public required double LostCalls { get; init; }

    public required bool Partitions { get; init; }

    public required bool Crashes { get; init; }

    public required bool Pauses { get; init; }

    public required bool SlowDisks { get; init; }

    public required bool FullDisks { get; init; }

    /// <summary>An fsync that fails ends its process.</summary>
    public required bool FailedSyncs { get; init; }

    /// <summary>Bits that are other ones after a restart, at one member at a time.</summary>
    public required bool Damage { get; init; }

    public required bool Transfers { get; init; }

    /// <summary>Nodes that join the group while it works.</summary>
    public required int Joins { get; init; }

    public required bool Leases { get; init; }

    /// <summary>Streams that take their events late.</summary>
    public required bool SlowWatchers { get; init; }

    public required double ClockSkew { get; init; }

    public required double StrokeMs { get; init; }

    public required int Clients { get; init; }

    public required int Watchers { get; init; }

    public required int Keys { get; init; }

    public required CoordinatorLimits Limits { get; init; }

    public static GroupWeather Of(Dice dice)
    {
        var voters = dice.Roll(0.15) ? 1 : dice.Roll(0.75) ? 3 : 5;
        var joins = voters < 5 && dice.Roll(0.3) ? 2 : 0;
        return new GroupWeather
        {
            Voters = voters,
            Trouble = dice.Between(2_000, 6_000),
            Loss = dice.Roll(0.6) ? 0 : dice.Roll(0.7) ? 0.02 : 0.15,
            Duplication = dice.Roll(0.7) ? 0 : 0.1,
            LateMessages = dice.Roll(0.6) ? 0 : dice.Roll(0.7) ? 0.02 : 0.2,
            LostCalls = dice.Roll(0.5) ? 0 : 0.1,
            Partitions = dice.Roll(0.5),
            Crashes = dice.Roll(0.7),
            Pauses = dice.Roll(0.3),
            SlowDisks = dice.Roll(0.3),
            FullDisks = dice.Roll(0.3),
            FailedSyncs = dice.Roll(0.2),
            Damage = voters > 1 && dice.Roll(0.3),
            Transfers = dice.Roll(0.3),
            Joins = joins,
            Leases = dice.Roll(0.6),
            SlowWatchers = dice.Roll(0.3),
            ClockSkew = dice.Roll(0.5) ? 0 : 0.1,
            StrokeMs = dice.Roll(0.3) ? 150 : 500,
            Clients = 2 + dice.Below(3),
            Watchers = 1 + dice.Below(3),
            Keys = 2 + dice.Below(4),
            Limits = new CoordinatorLimits
            {
                SnapshotEntries = dice.Roll(0.4) ? 10_000 : 10 + dice.Below(80),
                HistoryRevisions = dice.Roll(0.5) ? 10_000 : 10 + dice.Below(60),
                Voters = Math.Min(5, voters + joins),
                Raft = new RaftOptions
                {
                    MaximumInflightMessages = dice.Roll(0.3) ? 1 + dice.Below(2) : 64,
                    MaximumMessageEntries = dice.Roll(0.4) ? 1 : 64,
                    EntriesKeptBehindSnapshot = dice.Roll(0.5) ? 0 : dice.Below(20),
                    SnapshotChunkBytes = 256,
                    PromotionLagEntries = 20,
                    ChunkTimeout = TimeSpan.FromMilliseconds(200),
                    ReadTimeout = TimeSpan.FromMilliseconds(500),
                },
            },
        };
    }
}
