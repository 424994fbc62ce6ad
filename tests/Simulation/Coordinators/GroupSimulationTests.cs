namespace Hexcast.Simulation.Coordinators;

/// <summary>
/// Groups of coordinators: the real core, consensus, store, watches and log on a simulated network, disk and clock. The
/// shell around them, their client and their threads are the simulator's own. A seed that fails is named: ./hexcast sim
/// --groups --seeds 1 --from SEED --tell repeats it exactly; what it has found stays as <see cref="SimulationTests"/>
/// says.
/// </summary>
public sealed class GroupSimulationTests
{
    private const int Seeds = 200;

    [Fact]
    public void Nothing_told_is_taken_back_no_watch_misses_an_event_and_no_lease_ends_early() =>
        Campaign.Of(from: 1, Seeds, GroupRun.Of).Failures.ShouldBeEmpty();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_run_is_its_seed(ulong seed) => GroupRun.Of(seed).ShouldBeEquivalentTo(GroupRun.Of(seed));
}
