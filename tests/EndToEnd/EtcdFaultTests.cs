using Hexcast.Harness.Faults;

namespace Hexcast.EndToEnd;

/// <summary>Where hosts of their own, a C compiler and strace are to be had; elsewhere the tests say why not.</summary>
public sealed class EtcdOnHosts : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private EtcdHosts? hosts;

    public EtcdHosts Hosts => hosts!;

    public async ValueTask InitializeAsync() =>
        hosts = EtcdHosts.Hindrance is null ? await EtcdHosts.StartAsync(folder.Path) : null;

    public async ValueTask DisposeAsync()
    {
        if (hosts is not null)
        {
            await hosts.DisposeAsync();
        }

        folder.Dispose();
    }
}

/// <summary>One round of some rows of `./hexcast drill cluster` that are about an etcd's members.</summary>
public sealed class EtcdFaultTests(EtcdOnHosts etcd) : IClassFixture<EtcdOnHosts>
{
    private EtcdHosts Hosts
    {
        get
        {
            Assert.SkipWhen(EtcdHosts.Hindrance is not null, EtcdHosts.Hindrance ?? "");
            return etcd.Hosts;
        }
    }

    [Fact]
    public Task A_leading_member_that_is_cut_off_takes_no_write_and_costs_one_change_of_the_master_at_most() =>
        EtcdFaults.CutLeaderAsync(Hosts, isHeard: false, hears: false);

    [Fact]
    public Task A_master_that_reaches_no_member_is_replaced_once() =>
        EtcdFaults.CutMasterAsync(Hosts, isHeard: false, hears: false);

    [Fact]
    public Task A_leading_member_whose_disk_fails_a_sync_ends_and_the_two_others_lose_nothing() =>
        EtcdFaults.FailDiskAsync(Hosts, EtcdDisk.FailSyncAsync);
}
