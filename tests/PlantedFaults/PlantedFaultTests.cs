using Hexcast.Raft;
using Hexcast.Simulation;

namespace Hexcast.PlantedFaults;

/// <summary>The test of the simulator: each mistake is found, within so many seeds. A mistake that takes more is not
/// covered well enough: the weather wants changing, not this list.</summary>
public sealed class PlantedFaultTests
{
    private const int MostSeeds = 4_000;

    public static TheoryData<string> Faults =>
        [.. Enum.GetNames<PlantedFault>().Where(name => name != nameof(PlantedFault.None))];

    [Theory]
    [MemberData(nameof(Faults))]
    public void The_simulator_finds(string fault)
    {
        var (seeds, what) = Search(Enum.Parse<PlantedFault>(fault));
        TestContext.Current.TestOutputHelper!.WriteLine($"{fault}: {seeds} seeds, {what}");
        what.ShouldNotBeNull($"{fault} went unnoticed in {seeds} seeds");
    }

    [Fact]
    public void Without_a_fault_it_finds_nothing() => Search(PlantedFault.None, seeds: 20).What.ShouldBeNull();

    private static (int Seeds, string? What) Search(PlantedFault fault, int seeds = MostSeeds)
    {
        Planted.Active = fault;
        try
        {
            for (var seed = 1; seed <= seeds; seed++)
            {
                try
                {
                    Run.Of((ulong)seed);
                }
                catch (ViolationException violation)
                {
                    return (seed, violation.Message.Split('\n')[0]);
                }
            }
            return (seeds, null);
        }
        finally
        {
            Planted.Active = PlantedFault.None;
        }
    }
}
