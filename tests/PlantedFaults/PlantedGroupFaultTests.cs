using Hexcast.Coordination.Embedded;
using Hexcast.Simulation;
using Hexcast.Simulation.Coordinators;

namespace Hexcast.PlantedFaults;

/// <summary>The test of the simulator of coordinators: each mistake is found, within so many seeds.</summary>
public sealed class PlantedGroupFaultTests
{
    private const int MostSeeds = 1_000;

    public static TheoryData<string> Faults =>
        [.. Enum.GetNames<CoordinatorFault>().Where(name => name != nameof(CoordinatorFault.None))];

    [Theory]
    [MemberData(nameof(Faults))]
    public void The_simulator_finds_a_coordinators(string fault)
    {
        PlantedInCoordinator.Active = Enum.Parse<CoordinatorFault>(fault);
        try
        {
            for (var seed = 1; seed <= MostSeeds; seed++)
            {
                try
                {
                    GroupRun.Of((ulong)seed);
                }
                catch (ViolationException violation)
                {
                    TestContext.Current.TestOutputHelper!.WriteLine(
                        $"{fault}: {seed} seeds, {violation.Message.Split('\n')[0]}");
                    return;
                }
            }
            Assert.Fail($"{fault} went unnoticed in {MostSeeds} seeds");
        }
        finally
        {
            PlantedInCoordinator.Active = CoordinatorFault.None;
        }
    }

    [Fact]
    public void Without_a_fault_it_finds_nothing()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            GroupRun.Of((ulong)seed);
        }
    }
}
