namespace Hexcast.EndToEnd;

[Collection(nameof(Alone))]
public sealed class EtcdClusterTests(EtcdCluster cluster) : ClusterTests(cluster), IClassFixture<EtcdCluster>
{
    [Fact]
    public Task Jobs_do_not_notice_that_etcd_loses_its_leader() => Faults.PassUnnoticedAsync(
        async () => await (await cluster.Etcd!.LeaderAsync()).KillAsync(), cluster.Etcd!.HealAsync);
}
