namespace Hexcast.Simulation.Jobs;

/// <summary>The real masters and workers on the coordinator's real state machine, in every weather. A seed that fails
/// is named: ./hexcast sim --jobs --seeds 1 --from SEED --tell repeats it exactly.</summary>
public sealed class JobSimulationTests
{
    private const int Seeds = 400;

    [Fact]
    public void No_acknowledged_job_is_lost_no_task_commits_twice_and_every_job_ends_as_it_should() =>
        Campaign.Of(from: 1, Seeds, JobRun.Of).Failures.ShouldBeEmpty();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_run_is_its_seed(ulong seed) => JobRun.Of(seed).ShouldBeEquivalentTo(JobRun.Of(seed));
}
