using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Peers;
using Hexcast.Coordination.Tests.Servers;
using Hexcast.Platform.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Guard = Hexcast.Contracts.Etcd.Compare;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>More than the core goes through between two heartbeats is refused by name, and can be had in parts.
/// </summary>
public sealed class LargeRequestTests(EmbeddedServer server) : IClassFixture<EmbeddedServer>
{
    private const int TooMany = 600;
    private const int Keys = RequestReach.MaximumKeys + TooMany;
    private const int LargeValues = 12;

    private static readonly (ByteString Key, ByteString End) Many = (Text("/many/"), Text("/many0"));
    private static readonly (ByteString Key, ByteString End) Large = (Text("/large/"), Text("/large0"));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task More_keys_than_one_request_goes_through_are_read_and_deleted_in_parts()
    {
        foreach (var chunk in Enumerable.Range(0, Keys).Chunk(RequestRules.MaximumOperations))
        {
            await server.Client.TxnAsync(
                [], chunk.Select(i => Operation.Put($"/many/{i:d6}", ByteString.Empty)), Cancellation);
        }
        await IsRefused(AllOf(Many));
        await IsRefused(AllOf(Many, range => range.KeysOnly = true));
        await IsRefused(AllOf(Many, range => range.Serializable = true));
        await IsRefused(AllOf(Many, range => (range.Limit, range.SortTarget) =
            (1, RangeRequest.Types.SortTarget.Mod)));
        await IsRefused(AllOf(Many, range => (range.Limit, range.MinModRevision) = (1, 1)));

        (await Range(AllOf(Many, range => range.CountOnly = true))).Count.ShouldBe(Keys);
        var page = await Range(AllOf(Many, range => range.Limit = 1_000));
        (page.Kvs.Count, page.More, page.Count).ShouldBe((1_000, true, Keys));
        (await server.Client.RangeAsync("/many/", Cancellation)).KeyValues.Count.ShouldBe(Keys);

        var delete = new DeleteRangeRequest { Key = Many.Key, RangeEnd = Many.End };
        await IsRefused(() => server.Kv.DeleteRangeAsync(delete, cancellationToken: Cancellation).ResponseAsync);
        await IsRefused(new TxnRequest { Success = { new RequestOp { RequestDeleteRange = delete } } });
        await IsRefused(new TxnRequest { Failure = { new RequestOp { RequestRange = AllOf(Many) } } });
        await IsRefused(new TxnRequest
        {
            Compare = { new Guard { Key = Many.Key, RangeEnd = Many.End, Version = 1 } },
            Success = { new RequestOp { RequestPut = new PutRequest { Key = Text("/other") } } },
        });
        (await Range(AllOf(Many, range => range.CountOnly = true))).Count.ShouldBe(Keys, "nothing was begun");

        var first = new DeleteRangeRequest { Key = Many.Key, RangeEnd = Text($"/many/{TooMany:d6}") };
        (await server.Kv.DeleteRangeAsync(first, cancellationToken: Cancellation)).Deleted.ShouldBe(TooMany);
        (await Range(AllOf(Many))).Kvs.Count.ShouldBe(RequestReach.MaximumKeys);
        (await server.Kv.DeleteRangeAsync(delete, cancellationToken: Cancellation))
            .Deleted.ShouldBe(RequestReach.MaximumKeys);
        // What is deleted is not gone through, or nobody could read what comes after it.
        (await Range(AllOf(Many, range => range.Limit = 1))).Count.ShouldBe(0);
    }

    [Fact]
    public async Task More_bytes_than_one_answer_holds_are_read_in_parts_by_a_member_for_another_too()
    {
        var value = ByteString.CopyFrom(new byte[1_450_000]);
        for (var i = 0; i < LargeValues; i++)
        {
            await server.Client.PutAsync($"/large/{i:d2}", value, Cancellation);
        }
        await IsRefused(AllOf(Large));
        var gets = Enumerable.Range(0, LargeValues).Select(i => new RequestOp
        {
            RequestRange = new RangeRequest { Key = Text($"/large/{i:d2}") },
        });
        await IsRefused(new TxnRequest { Success = { gets } });
        (await Range(AllOf(Large, range => range.KeysOnly = true))).Kvs.Count.ShouldBe(LargeValues);
        (await server.Client.RangeAsync("/large/", Cancellation)).KeyValues.Count.ShouldBe(LargeValues);

        const ulong Leader = 5;
        await using var links = new PeerLinks(
            server.Self with { Id = 99, Address = "127.0.0.1:1" }, NodeChannels.Plain(TimeProvider.System).OpenToMember,
            _ => { }, TimeProvider.System, NullLogger.Instance);
        var there = new SavedMember { Id = Leader, Node = "node-1", Address = new Uri(server.Address).Authority };
        links.Follow([there], Hexcast.Raft.Members.Of([Leader]));
        var most = new AskLeaderRequest { Range = AllOf(Large, range => range.Limit = LargeValues - 2) };
        var answer = await links.AskLeaderAsync(Leader, most, Cancellation);
        RangeResponse.Parser.ParseFrom(answer!.Response).Kvs.Count.ShouldBe(LargeValues - 2);
        RequestReach.MaximumBytes.ShouldBeLessThan(NodeChannels.MemberAnswerBytes / 2, "keys weigh something too");

        await IsRefused(() => server.Kv.DeleteRangeAsync(
            new DeleteRangeRequest { Key = Large.Key, RangeEnd = Large.End, PrevKv = true },
            cancellationToken: Cancellation).ResponseAsync);
        (await server.Kv.DeleteRangeAsync(
            new DeleteRangeRequest { Key = Large.Key, RangeEnd = Large.End }, cancellationToken: Cancellation))
            .Deleted.ShouldBe(LargeValues);
    }

    private static ByteString Text(string text) => ByteString.CopyFromUtf8(text);

    private static RangeRequest AllOf((ByteString Key, ByteString End) range, Action<RangeRequest>? but = null)
    {
        var request = new RangeRequest { Key = range.Key, RangeEnd = range.End };
        but?.Invoke(request);
        return request;
    }

    private async Task<RangeResponse> Range(RangeRequest request) =>
        await server.Kv.RangeAsync(request, cancellationToken: Cancellation);

    private Task IsRefused(RangeRequest request) => IsRefused(() => Range(request));

    private Task IsRefused(TxnRequest request) =>
        IsRefused(() => server.Kv.TxnAsync(request, cancellationToken: Cancellation).ResponseAsync);

    private static async Task IsRefused(Func<Task> call)
    {
        var refused = await Should.ThrowAsync<RpcException>(call);
        refused.Status.Detail.ShouldBe("etcdserver: request is too large");
    }
}
