namespace Hexcast.Simulation;

/// <summary>
/// Groups of the real consensus core in every weather. A seed that fails is named: ./hexcast sim --seeds 1 --from SEED
/// repeats it exactly, as long as no weather changes. So what it has found stays as more than a number: as a test of
/// the core, or planted again in tests/PlantedFaults, where some seed has to find it.
/// </summary>
public sealed class SimulationTests
{
    private const int Seeds = 400;

    [Fact]
    public void Nothing_acknowledged_is_lost_and_every_group_heals() =>
        Campaign.Of(from: 1, Seeds, Run.Of).Failures.ShouldBeEmpty();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_run_is_its_seed(ulong seed) => Run.Of(seed).ShouldBeEquivalentTo(Run.Of(seed));
}
