using Hexcast.Master.Scheduling;
using Hexcast.Simulation;
using Hexcast.Simulation.Jobs;
using Hexcast.Worker;

namespace Hexcast.PlantedFaults;

/// <summary>The test of the simulator of masters and workers: each mistake is found, within so many seeds.</summary>
public sealed class PlantedJobFaultTests
{
    private const int MostSeeds = 1_000;

    public static TheoryData<string> OfMaster =>
        [.. Enum.GetNames<MasterFault>().Where(name => name != nameof(MasterFault.None))];

    public static TheoryData<string> OfWorker =>
        [.. Enum.GetNames<WorkerFault>().Where(name => name != nameof(WorkerFault.None))];

    [Theory]
    [MemberData(nameof(OfMaster))]
    public void The_simulator_finds_a_masters(string fault)
    {
        PlantedInMaster.Active = Enum.Parse<MasterFault>(fault);
        try
        {
            Search(fault);
        }
        finally
        {
            PlantedInMaster.Active = MasterFault.None;
        }
    }

    [Theory]
    [MemberData(nameof(OfWorker))]
    public void The_simulator_finds_a_workers(string fault)
    {
        PlantedInWorker.Active = Enum.Parse<WorkerFault>(fault);
        try
        {
            Search(fault);
        }
        finally
        {
            PlantedInWorker.Active = WorkerFault.None;
        }
    }

    [Fact]
    public void Without_a_fault_it_finds_nothing()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            JobClusterRun.Of((ulong)seed);
        }
    }

    private static void Search(string fault)
    {
        for (var seed = 1; seed <= MostSeeds; seed++)
        {
            try
            {
                JobClusterRun.Of((ulong)seed);
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
}
