using Hexcast.Harness.Faults;

namespace Hexcast.EndToEnd;

/// <summary>
/// One round of the rows of `./hexcast drill cluster` in which jobs run; each leaves all nodes running. How long
/// something takes is the drill's to judge, on a machine that does nothing else. `kill-all`, `rolling` and `busy` are
/// run on the embedded coordinator only: they take long, and what they try of etcd is little.
/// </summary>
public abstract class ClusterTests(ClusterFixture cluster)
{
    /// <summary>Past the lease of a master, on either coordinator.</summary>
    private static readonly TimeSpan Stop = TimeSpan.FromSeconds(4);

    protected JobFaults Faults => cluster.Faults;

    [Fact]
    public async Task Jobs_outlive_the_node_that_schedules_them_and_nothing_that_was_committed_is_lost()
    {
        await Faults.KillMasterAsync();
        await Faults.FinishAsync();
    }

    [Fact]
    public Task What_a_lost_worker_was_doing_another_one_does_and_only_that() => Faults.KillWorkerAsync();

    [Fact]
    public Task What_a_worker_that_stood_still_past_its_lease_has_done_too_is_refused() => Faults.StopWorkerAsync();

    [Fact]
    public async Task Nothing_of_a_master_that_stood_still_past_its_lease_is_accepted()
    {
        await Faults.StopMasterAsync(Stop);
        await Faults.FinishAsync();
    }
}
