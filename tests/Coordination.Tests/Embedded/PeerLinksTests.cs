using Grpc.Net.Client;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Peers;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hexcast.Coordination.Tests.Embedded;

public sealed class PeerLinksTests
{
    private static SavedMember Member(ulong id) => new() { Id = id, Node = $"node-{id}", Address = $"127.0.0.1:{id}" };

    [Fact]
    public async Task A_member_that_was_removed_and_still_calls_gets_no_line()
    {
        var opened = new List<string>();
        await using var links = new PeerLinks(
            new PeerSelf("test", 1, "127.0.0.1:1"),
            address =>
            {
                opened.Add(address);
                return GrpcChannel.ForAddress($"http://{address}");
            },
            _ => { }, TimeProvider.System, NullLogger.Instance);
        links.Follow([Member(1), Member(2), Member(3)], Hexcast.Raft.Members.Of([1, 2, 3]));
        opened.ShouldBe(["127.0.0.1:2", "127.0.0.1:3"]);

        links.Follow([Member(1), Member(2)], Hexcast.Raft.Members.Of([1, 2]));
        links.Meet(3, "127.0.0.1:3");
        links.Meet(3, "127.0.0.1:33");
        opened.Count.ShouldBe(2);

        // One of whom nothing was said yet may lead a term that this member knows nothing of.
        links.Meet(4, "127.0.0.1:4");
        opened[^1].ShouldBe("127.0.0.1:4");
    }

    [Fact]
    public async Task A_member_where_nobody_listens_any_more_is_told_of()
    {
        var gone = new TaskCompletionSource<ulong>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var links = new PeerLinks(
            new PeerSelf("test", 1, "127.0.0.1:1"), address => GrpcChannel.ForAddress($"http://{address}"),
            id => gone.TrySetResult(id), TimeProvider.System, NullLogger.Instance);
        links.Follow([Member(1), Member(2)], Hexcast.Raft.Members.Of([1, 2]));

        links.Send(2, new Hexcast.Raft.RaftMessage.Heartbeat(1, 1, 0, 0));

        (await gone.Task.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBe(2ul);
    }
}
