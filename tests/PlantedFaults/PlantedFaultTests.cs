using Hexcast.Coordination.Embedded;
using Hexcast.Master.Scheduling;
using Hexcast.Raft;
using Hexcast.Simulation;
using Hexcast.Simulation.Coordinators;
using Hexcast.Worker;

namespace Hexcast.PlantedFaults;

public sealed class PlantedRaftFaultTests
{
    public static TheoryData<string> Faults => FaultSearch.Names<RaftFault>();

    [Theory]
    [MemberData(nameof(Faults))]
    public void The_simulator_finds_a_cores(string fault) => FaultSearch.Finds<RaftFault>(fault, 1_500, Run.Of);

    [Fact]
    public void Without_a_fault_it_finds_nothing() => FaultSearch.FindsNothing(Run.Of);
}

public sealed class PlantedGroupFaultTests
{
    public static TheoryData<string> Faults => FaultSearch.Names<CoordinatorFault>();

    [Theory]
    [MemberData(nameof(Faults))]
    public void The_simulator_finds_a_coordinators(string fault) =>
        FaultSearch.Finds<CoordinatorFault>(fault, 1_000, GroupRun.Of);

    [Fact]
    public void Without_a_fault_it_finds_nothing() => FaultSearch.FindsNothing(GroupRun.Of);
}

public sealed class PlantedJobFaultTests
{
    public static TheoryData<string> OfMaster => FaultSearch.Names<MasterFault>();

    public static TheoryData<string> OfWorker => FaultSearch.Names<WorkerFault>();

    [Theory]
    [MemberData(nameof(OfMaster))]
    public void The_simulator_finds_a_masters(string fault) =>
        FaultSearch.Finds<MasterFault>(fault, 1_000, Simulation.Jobs.JobRun.Of);

    [Theory]
    [MemberData(nameof(OfWorker))]
    public void The_simulator_finds_a_workers(string fault) =>
        FaultSearch.Finds<WorkerFault>(fault, 1_000, Simulation.Jobs.JobRun.Of);

    [Fact]
    public void Without_a_fault_it_finds_nothing() => FaultSearch.FindsNothing(Simulation.Jobs.JobRun.Of);
}
