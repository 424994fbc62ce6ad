using System.Diagnostics.CodeAnalysis;
using Hexcast.Coordination.Embedded;

namespace Hexcast.Simulation.Coordinators;

/// <summary>What one run of a group of coordinators has to bear besides what befalls every group.</summary>
internal sealed record GroupWeather : Weather
{
    /// <summary>Requests that members pass on to their leader, or the answers, that get lost.</summary>
    public required double LostCalls { get; init; }

    public required bool FullDisks { get; init; }

    /// <summary>An fsync that fails ends its process.</summary>
    public required bool FailedSyncs { get; init; }

    public required bool Leases { get; init; }

    /// <summary>Streams that take their events late.</summary>
    public required bool SlowWatchers { get; init; }

    public required int Watchers { get; init; }

    public required CoordinatorLimits Limits { get; init; }

    [SetsRequiredMembers]
    private GroupWeather(Weather weather, Dice dice)
        : base(weather)
    {
        LostCalls = dice.Roll(0.5) ? 0 : 0.1;
        FullDisks = dice.Roll(0.3);
        FailedSyncs = dice.Roll(0.2);
        Leases = dice.Roll(0.6);
        SlowWatchers = dice.Roll(0.3);
        Watchers = 1 + dice.Below(3);
        Limits = new CoordinatorLimits
        {
            SnapshotEntries = SnapshotEvery > 0 ? SnapshotEvery : 10_000,
            HistoryRevisions = dice.Roll(0.5) ? 10_000 : 10 + dice.Below(60),
            Voters = MemberChanges && dice.Roll(0.5) ? Math.Min(5, Voters + 2) : Voters,
            Raft = Options with { SnapshotChunkBytes = 256 },
        };
    }

    public static new GroupWeather Of(Dice dice) => new(Weather.Of(dice), dice);

    /// <summary>The same group under a clear sky.</summary>
    public GroupWeather Cleared() => this with
    {
        Loss = 0,
        Duplication = 0,
        LateMessages = 0,
        LostCalls = 0,
        ClockSkew = 0,
        Partitions = false,
        OneWayCuts = false,
        Crashes = false,
        Pauses = false,
        SlowDisks = false,
        FullDisks = false,
        FailedSyncs = false,
        Damage = false,
        MemberChanges = false,
        Transfers = false,
    };
}
