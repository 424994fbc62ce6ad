namespace Hexcast.Simulation.Jobs;

/// <summary>
/// Masters and workers on groups of coordinators, in every weather. The cores that decide are the real ones, with the
/// scheduler's log of effects and its guards; who executes what they decide is written anew here, in simulated time
/// (docs/decisions/0007-scheduler-state.md has the list). A seed that fails is named: ./hexcast sim --jobs --seeds 1
/// --from SEED --tell repeats it exactly; what it has found stays as <see cref="SimulationTests"/> says.
/// </summary>
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
