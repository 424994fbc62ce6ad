namespace Hexcast.EndToEnd;

public sealed class EmbeddedClusterTests(EmbeddedCluster cluster)
    : ClusterTests(cluster), IClassFixture<EmbeddedCluster>
{
    [Fact]
    public async Task All_of_them_killed_at_once_come_back_and_finish_their_job()
    {
        var id = await UploadAsync();
        await UntilAsync(id, tasks => tasks.Any(IsEncoding), "encodes");

        await Task.WhenAll(Nodes.Select(node => node.KillAsync()));
        await Task.WhenAll(Nodes.Select(node => node.StartAgainAsync()));

        Tasks(await Front.Api.WaitForAsync(id, "ready"))
            .ShouldAllBe(task => (string)task["state"]! == "committed");
        await ShouldPlayWholeAsync(id);
    }

    private IEnumerable<PlatformProcess> Nodes => cluster.Nodes.Nodes;
}
