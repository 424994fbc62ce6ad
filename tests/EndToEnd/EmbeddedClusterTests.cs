namespace Hexcast.EndToEnd;

[Collection(nameof(Alone))]
public sealed class EmbeddedClusterTests(EmbeddedCluster cluster)
    : ClusterTests(cluster), IClassFixture<EmbeddedCluster>
{
    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task All_of_them_killed_at_once_come_back_and_finish_their_jobs()
    {
        await Faults.KillAllAsync();
        await Faults.FinishAsync();
    }

    [Fact]
    public async Task A_rolling_restart_of_all_nodes_fails_no_task()
    {
        await Faults.RestartAllAsync();
        await Faults.FinishAsync();
    }

    [Fact]
    public async Task Encoders_on_all_processors_are_no_reason_for_an_election()
    {
        await Faults.KeepBusyAsync(Busy);
        await Faults.FinishAsync();
    }
}
