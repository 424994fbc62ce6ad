using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Tests.Embedded.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hexcast.Coordination.Tests.Embedded;

public sealed class EmbeddedCoordinatorTests
{
    private readonly List<Exception> _fatal = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A group of one, leading.</summary>
    private async Task<EmbeddedCoordinator> StartAsync(IDisk disk, CoordinatorLimits? limits = null)
    {
        var id = MemberIdentity.FirstVersionsId("test", "node-1");
        var record = MemberFile.TryLoad(disk, out _) ?? new MemberRecord { Id = id, Founded = true };
        var coordinator = EmbeddedCoordinator.Start(
            disk,
            new MemberIdentity("test", "node-1", id, "127.0.0.1:1"),
            record,
            limits ?? new CoordinatorLimits(),
            Substitutes.NoPeers,
            new CoordinatorHost(TimeProvider.System, NullLogger.Instance, _fatal.Add, Seed: 1));
        try
        {
            await coordinator.Established;
            return coordinator;
        }
        catch
        {
            await coordinator.DisposeAsync();
            throw;
        }
    }

    private static Requests Requests(EmbeddedCoordinator coordinator) =>
        new(coordinator, Substitutes.NoPeers, TimeProvider.System);

    private static Task<PutResponse> Put(EmbeddedCoordinator coordinator, string key) =>
        Requests(coordinator).ProposeAsync<PutResponse>(
            new Command { Put = new PutRequest { Key = ByteString.CopyFromUtf8(key) } }, Cancellation);

    private static async Task<string[]> Keys(EmbeddedCoordinator coordinator, string prefix)
    {
        var request = new RangeRequest
        {
            Key = ByteString.CopyFromUtf8(prefix),
            RangeEnd = ByteString.CopyFromUtf8(prefix + "\x7f"),
        };
        var response = await Requests(coordinator).ReadAsync<RangeResponse>(request, Cancellation);
        return [.. response.Kvs.Select(value => value.Key.ToStringUtf8())];
    }

    [Fact]
    public async Task Requests_that_wait_together_share_one_fsync()
    {
        var disk = new MemoryDisk();
        await using var coordinator = await StartAsync(disk);
        var before = disk.Operations;
        using var slow = new ManualResetEventSlim();
        disk.OnSync = slow.Wait;
        var puts = Enumerable.Range(0, 1_000).Select(i => Put(coordinator, $"key-{i:d4}")).ToList();
        slow.Set();
        await Task.WhenAll(puts);
        // A write and an fsync for the first one's batch, and for that of all which came while its fsync ran.
        (disk.Operations - before).ShouldBeLessThan(10);
        (await Keys(coordinator, "key-")).Length.ShouldBe(1_000);
    }

    [Fact]
    public async Task A_member_that_is_behind_has_the_leader_read_and_nothing_is_written_by_it()
    {
        await using var coordinator = await StartAsync(new MemoryDisk());
        await Put(coordinator, "key");
        var key = new RangeRequest { Key = ByteString.CopyFromUtf8("key") };
        var reads = new TxnRequest { Success = { new RequestOp { RequestRange = key } } };
        var range = await AnswerAsync(new AskLeaderRequest { Range = key });
        RangeResponse.Parser.ParseFrom(range.Response).Count.ShouldBe(1);
        var txn = await AnswerAsync(new AskLeaderRequest { Reads = reads });
        TxnResponse.Parser.ParseFrom(txn.Response).Responses.Single().ResponseRange.Count.ShouldBe(1);

        reads.Success.Add(new RequestOp { RequestPut = new PutRequest { Key = ByteString.CopyFromUtf8("other") } });
        (await Should.ThrowAsync<RpcException>(() => AnswerAsync(new AskLeaderRequest { Reads = reads })))
            .StatusCode.ShouldBe(StatusCode.Unimplemented);

        Task<AskLeaderResponse> AnswerAsync(AskLeaderRequest request) =>
            Requests(coordinator).AnswerAsync(request, Cancellation);
    }

    [Fact]
    public async Task A_failing_fsync_answers_nobody_and_ends_the_coordinator()
    {
        var disk = new MemoryDisk();
        await using (var coordinator = await StartAsync(disk))
        {
            await Put(coordinator, "acknowledged");
            disk.SyncFails = true;
            var refused = await Should.ThrowAsync<RpcException>(() => Put(coordinator, "lost"));
            refused.StatusCode.ShouldBe(StatusCode.Unavailable);
            // Once it failed, it stays ended: a second fsync could succeed without what the first one lost.
            disk.SyncFails = false;
            (await Should.ThrowAsync<RpcException>(() => Put(coordinator, "later")))
                .StatusCode.ShouldBe(StatusCode.Unavailable);
        }
        _fatal.ShouldHaveSingleItem().ShouldBeOfType<CoordinatorDataException>()
            .Message.ShouldContain("Check the disk");

        await using var next = await StartAsync(disk.AfterPowerLoss(Leftover.Nothing));
        (await Keys(next, "a")).ShouldBe(["acknowledged"]);
        (await Keys(next, "l")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_full_disk_refuses_writes_by_name_and_goes_on_when_there_is_space()
    {
        var disk = new MemoryDisk();
        var limits = new CoordinatorLimits { SnapshotEntries = 5 };
        await using (var coordinator = await StartAsync(disk, limits))
        {
            await Put(coordinator, "key-1");
            disk.IsFull = true;
            for (var i = 0; i < 3; i++)
            {
                var refused = await Should.ThrowAsync<RpcException>(() => Put(coordinator, "refused"));
                refused.Status.Detail.ShouldBe("etcdserver: mvcc: database space exceeded");
            }
            (await Keys(coordinator, "key-")).ShouldBe(["key-1"]);
            disk.IsFull = false;
            for (var i = 2; i < 9; i++)
            {
                await Put(coordinator, $"key-{i}");
            }
        }
        _fatal.ShouldBeEmpty();
        await using var next = await StartAsync(disk.AfterPowerLoss(Leftover.Nothing), limits);
        (await Keys(next, "key-")).ShouldBe(Enumerable.Range(1, 8).Select(i => $"key-{i}"));
        (await Keys(next, "refused")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_disk_that_fills_up_while_it_starts_never_leaves_it_leading_an_old_term()
    {
        var disk = new MemoryDisk();
        await using (await StartAsync(disk))
        {
        }
        for (var fullAt = 1; ; fullAt++)
        {
            var next = disk.AfterPowerLoss(Leftover.Everything);
            var syncs = 0;
            next.OnSync = () => next.IsFull = ++syncs >= fullAt;
            try
            {
                await using var coordinator = await StartAsync(next);
                // Each term's first entry deletes and puts the election key.
                var status = await Requests(coordinator).ReadAsync<StatusResponse>(new StatusRequest(), Cancellation);
                status.Header.Revision.ShouldBe(4);
                fullAt.ShouldBeGreaterThan(1);
                return;
            }
            catch (CoordinatorDataException refused)
            {
                refused.Message.ShouldContain("The disk is full.");
            }
        }
    }

    [Fact]
    public async Task Everything_is_there_again_after_a_restart_from_snapshot_and_log()
    {
        var disk = new MemoryDisk();
        var limits = new CoordinatorLimits { SnapshotEntries = 100 };
        long revision = 0;
        long lease;
        await using (var coordinator = await StartAsync(disk, limits))
        {
            var grant = new Command { LeaseGrant = new LeaseGrantRequest { TTL = 60 } };
            lease = (await Requests(coordinator).ProposeAsync<LeaseGrantResponse>(grant, Cancellation)).ID;
            for (var i = 0; i < 250; i++)
            {
                revision = (await Put(coordinator, $"key-{i:d4}")).Header.Revision;
            }
        }
        disk.List().Count(name => name.EndsWith(SnapshotFile.Suffix, StringComparison.Ordinal)).ShouldBe(1);

        await using var again = await StartAsync(disk, limits);
        (await Keys(again, "key-")).Length.ShouldBe(250);
        var status = await Requests(again).ReadAsync<StatusResponse>(new StatusRequest(), Cancellation);
        status.RaftTerm.ShouldBe(2ul);
        // The new term's first entry deletes and puts the election key.
        status.Header.Revision.ShouldBe(revision + 2);
        (await Requests(again).KeepAliveAsync(lease, Cancellation)).TTL.ShouldBe(60);
    }

    [Fact]
    public async Task Power_lost_at_any_disk_operation_loses_no_acknowledged_key()
    {
        for (var failsAt = 1; ; failsAt++)
        {
            var disk = new MemoryDisk { PowerFailsAt = failsAt };
            var acknowledged = new List<string>();
            try
            {
                await using var coordinator = await StartAsync(disk, new CoordinatorLimits { SnapshotEntries = 8 });
                for (var i = 0; i < 20; i++)
                {
                    await Put(coordinator, $"key-{i:d2}");
                    acknowledged.Add($"key-{i:d2}");
                }
            }
            catch (Exception exception) when (exception is IOException or RpcException)
            {
                // The power failed here.
            }
            await using var next = await StartAsync(disk.AfterPowerLoss((Leftover)(failsAt % 4)));
            (await Keys(next, "key-")).Take(acknowledged.Count).ShouldBe(acknowledged, $"operation {failsAt}");
            if (acknowledged.Count == 20)
            {
                return;
            }
        }
    }
}
