namespace Hexcast.EndToEnd;

public sealed class EtcdClusterTests(EtcdCluster cluster) : ClusterTests(cluster), IClassFixture<EtcdCluster>
{
    [Fact]
    public async Task A_job_does_not_notice_that_etcd_loses_its_leader()
    {
        var id = await UploadAsync();
        await UntilAsync(id, tasks => tasks.Any(IsEncoding), "encodes");

        await (await cluster.Etcd.LeaderAsync()).KillAsync();

        var media = await Front.Api.WaitForAsync(id, "ready");
        Tasks(media).ShouldAllBe(task => (string)task["state"]! == "committed" && (int)task["attempt"]! == 1);
        await ShouldPlayWholeAsync(id);
        await cluster.Etcd.HealAsync();
    }
}
