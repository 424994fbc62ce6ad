using Hexcast.Harness.Faults;

namespace Hexcast.EndToEnd;

public sealed class EtcdOnHosts() : OnHosts<EtcdHosts>(EtcdHosts.Hindrance, EtcdHosts.StartAsync);

/// <summary>One round of each row of `./hexcast drill cluster` that is about an etcd's members, but of the two that
/// take long: `cut-master-one`, and `clock`, which <see cref="VoterFaultTests"/> has.</summary>
[Collection(nameof(Alone))]
public sealed class EtcdFaultTests(EtcdOnHosts etcd) : IClassFixture<EtcdOnHosts>
{
    private EtcdHosts Hosts => etcd.Shared;

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public Task A_leading_member_that_is_cut_off_takes_no_write_and_costs_one_change_of_the_master_at_most(
        bool isHeard, bool hears) => HostFaults.CutLeaderAsync(Hosts, isHeard, hears);

    [Fact]
    public Task Two_members_that_do_not_see_each_other_while_a_third_sees_both_cost_one_change_at_most() =>
        HostFaults.CutOneOffLeaderAsync(Hosts);

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public Task A_master_that_is_cut_off_from_all_members_takes_no_order_and_is_replaced_once(
        bool isHeard, bool hears) => EtcdFaults.CutMasterAsync(Hosts, isHeard, hears);

    [Fact]
    public Task A_leading_member_whose_disk_fails_a_sync_ends_and_the_two_others_lose_nothing() =>
        EtcdFaults.FailDiskAsync(Hosts, EtcdDisk.FailSyncAsync);

    [Fact]
    public Task A_leading_member_whose_disk_is_full_ends_and_the_two_others_lose_nothing() =>
        EtcdFaults.FailDiskAsync(Hosts, EtcdDisk.FillAsync);

    [Fact]
    public Task A_leading_member_whose_disk_is_slow_takes_writes_and_costs_no_change_of_the_master_with_each() =>
        EtcdFaults.SlowDiskAsync(Hosts);
}
