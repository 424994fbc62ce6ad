using System.Security.Cryptography;
using System.Text;
using Hexcast.Contracts;
using Hexcast.Contracts.Etcd;
using Hexcast.Harness.Faults;

namespace Hexcast.EndToEnd;

/// <summary>The fence, on the wire: a master cannot know that it is none any more while what it writes is on its way.
/// </summary>
[Collection(nameof(Alone))]
public sealed class LateWriteTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_write_counts_only_if_its_master_still_is_the_master_when_etcd_gets_it(bool isReplaced)
    {
        using var folder = new TempFolder();
        var etcd = (await EtcdMember.StartAsync(Path.Combine(folder.Path, "etcd"))).Single();
        await using var _ = etcd;
        using var view = CoordinatorView.Of(etcd);
        await using var line = new HeldLine(etcd.Address);
        await using var master = await StartAsync(folder, "master", line.Address);
        await UntilMasterAsync(master);
        await using var other = await StartAsync(folder, "other", etcd.Address);
        var media = MediaId.From(new Guid(RandomNumberGenerator.GetBytes(16)));
        var mark = Encoding.UTF8.GetBytes(media.ToString());

        line.Hold();
        var order = EtcdHosts.TryOrderAsync(master, media);
        var answer = TxnResponse.Parser.ParseFrom(await line.DelayAsync(
            mark, before: () => isReplaced ? UntilMasterAsync(other) : Task.CompletedTask));
        await line.ReleaseAsync();

        answer.Succeeded.ShouldBe(!isReplaced);
        (await order).ShouldBe(!isReplaced);
        (await view.RecordsAsync("/hexcast/")).Any(record => record.Value.Span.IndexOf(mark) >= 0)
            .ShouldBe(!isReplaced);
    }

    private static Task<PlatformProcess> StartAsync(TempFolder folder, string name, string etcd) =>
        PlatformProcess.StartAtAsync(
            ProcessPlace.Here,
            Path.Combine(folder.Path, name),
            new Dictionary<string, string>
            {
                ["Coordination:Mode"] = "Etcd",
                ["Coordination:Endpoints:0"] = etcd,
                ["Objects:Folder"] = Path.Combine(folder.Path, "objects"),
            },
            "--target", "master", "--node", name);

    private static Task UntilMasterAsync(PlatformProcess node) => Wait.ForAsync(
        () => NodeCluster.IsMasterAsync(node), Limit, () => $"it is not the master:\n{node.Log}");
}
