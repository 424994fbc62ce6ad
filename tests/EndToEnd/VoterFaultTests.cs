using Hexcast.Harness.Faults;

namespace Hexcast.EndToEnd;

/// <summary>They wait longer for a leader than a platform does: a machine that is shared may stand still for as long
/// as that, and each election is counted. The drill has what a platform has.</summary>
public sealed class Voters() : OnHosts<VoterCluster>(
    VoterCluster.Hindrance,
    folder => VoterCluster.StartAsync(
        folder, new Dictionary<string, string> { ["Coordination:ElectionTimeoutMilliseconds"] = "1000" }));

/// <summary>One round of each row of `./hexcast drill cluster` that is about the nodes which keep the coordinator.
/// </summary>
[Collection(nameof(Alone))]
public sealed class VoterFaultTests(Voters voters) : IClassFixture<Voters>
{
    private VoterCluster Cluster => voters.Shared;

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public Task A_master_that_is_cut_off_one_way_or_both_takes_no_write_and_is_replaced_once(
        bool isHeard, bool hears) =>
        HostFaults.CutLeaderAsync(Cluster, isHeard, hears);

    [Fact]
    public Task Two_that_do_not_see_each_other_while_a_third_sees_both_cost_one_change_of_the_master_at_most() =>
        HostFaults.CutOneOffLeaderAsync(Cluster);

    [Fact]
    public Task A_master_whose_log_has_no_space_hands_over_and_follows_again_by_itself() =>
        VoterFaults.FillDiskAsync(Cluster);

    [Fact]
    public Task Where_no_log_has_space_nothing_is_acknowledged_and_what_is_there_is_read() =>
        VoterFaults.FillAllDisksAsync(Cluster);

    [Fact]
    public Task A_master_whose_disk_fails_a_sync_acknowledges_nothing_more_and_is_replaced() =>
        VoterFaults.FailSyncAsync(Cluster);

    [Fact]
    public Task A_master_whose_disk_is_slow_hands_over_once_and_for_good() => VoterFaults.SlowDiskAsync(Cluster);

    [Fact]
    public Task A_clock_that_is_an_hour_off_elects_nobody_and_ends_no_lease() =>
        HostFaults.SetClocksAsync(Cluster, isForward: true);

    [Fact]
    public Task A_log_that_is_torn_starts_and_has_everything_again() => VoterFaults.TearLogAsync(Cluster, bytes: 7);

    [Fact]
    public Task A_bit_flipped_in_what_is_committed_is_noticed_and_fetched_again() =>
        VoterFaults.FlipBitAsync(Cluster, new Random(1));
}
