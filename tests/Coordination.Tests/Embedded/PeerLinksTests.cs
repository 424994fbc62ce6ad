using Grpc.Net.Client;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Peers;
using Hexcast.Raft;
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
    public void What_continues_the_log_keeps_its_order_and_what_is_urgent_passes_it()
    {
        WireMessages.IsBulk(new RaftMessage.AppendRequest(1, 1, 4, 1, [], Commit: 4)).ShouldBeTrue();
        WireMessages.IsBulk(new RaftMessage.AppendRequest(
            1, 1, 4, 1, [new Entry(1, 5, EntryKind.Command, default)], Commit: 4)).ShouldBeTrue();
        WireMessages.IsBulk(new RaftMessage.Heartbeat(1, 1, Commit: 4, Round: 0)).ShouldBeFalse();
        WireMessages.IsBulk(new RaftMessage.AppendResponse(1, 1, Accepted: true, 4, 0, 0, false)).ShouldBeFalse();
    }

    [Fact]
    public async Task Callers_that_the_group_does_not_know_have_few_lines_and_members_keep_theirs()
    {
        var opened = new Dictionary<string, GrpcChannel>();
        await using var links = new PeerLinks(
            new PeerSelf("test", 1, "127.0.0.1:1"),
            address => opened[address] = GrpcChannel.ForAddress($"http://{address}"),
            _ => { }, TimeProvider.System, NullLogger.Instance);
        links.Follow([Member(1), Member(2), Member(3)], Hexcast.Raft.Members.Of([1, 2, 3]));
        for (var stranger = 100; stranger < 120; stranger++)
        {
            links.Meet((ulong)stranger, $"127.0.0.1:{stranger}");
        }
        opened.Count.ShouldBe(22);
        string[] open = [.. opened.Where(line => IsOpen(line.Value)).Select(line => line.Key)];
        open.ShouldBe(
            [.. Enumerable.Range(2, 2).Concat(Enumerable.Range(112, PeerLinks.MaximumStrangers))
                .Select(port => $"127.0.0.1:{port}")], ignoreOrder: true);

        // One that the group tells of is none any more.
        links.Follow([Member(1), Member(2), Member(3), Member(112)], Hexcast.Raft.Members.Of([1, 2, 3], 112));
        links.Meet(120, "127.0.0.1:120");
        IsOpen(opened["127.0.0.1:112"]).ShouldBeTrue();
        IsOpen(opened["127.0.0.1:113"]).ShouldBeTrue();
    }

    [Fact]
    public async Task A_leader_whose_line_is_being_replaced_was_not_asked()
    {
        GrpcChannel? channel = null;
        await using var links = new PeerLinks(
            new PeerSelf("test", 1, "127.0.0.1:1"), address => channel = GrpcChannel.ForAddress($"http://{address}"),
            _ => { }, TimeProvider.System, NullLogger.Instance);
        links.Follow([Member(2)], Hexcast.Raft.Members.Of([1, 2]));
        channel!.Dispose();

        (await links.AskLeaderAsync(
            2, new Contracts.V1.AskLeaderRequest(), TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    [Fact]
    public async Task Lines_that_were_replaced_while_they_spoke_have_ended_when_all_have()
    {
        await using var links = new PeerLinks(
            new PeerSelf("test", 1, "127.0.0.1:1"), address => GrpcChannel.ForAddress($"http://{address}"),
            _ => { }, TimeProvider.System, NullLogger.Instance);
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        for (var i = 0; i < 20; i++)
        {
            links.Meet(2, i % 2 == 0 ? $"{silent.LocalEndpoint}" : "127.0.0.1:2");
            links.Send(2, new RaftMessage.Heartbeat(1, 1, 0, 0));
            links.Send(2, new RaftMessage.AppendRequest(1, 1, 0, 0, [], 0));
        }
    }

    private static bool IsOpen(GrpcChannel channel)
    {
        try
        {
            channel.CreateCallInvoker();
            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    [Fact]
    public async Task A_member_where_nobody_listens_any_more_is_told_of()
    {
        var gone = new TaskCompletionSource<ulong>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var links = new PeerLinks(
            new PeerSelf("test", 1, "127.0.0.1:1"), address => GrpcChannel.ForAddress($"http://{address}"),
            id => gone.TrySetResult(id), TimeProvider.System, NullLogger.Instance);
        links.Follow([Member(1), Member(2)], Hexcast.Raft.Members.Of([1, 2]));

        links.Send(2, new RaftMessage.Heartbeat(1, 1, 0, 0));

        (await gone.Task.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBe(2ul);
    }
}
