using Google.Protobuf;
using Grpc.Net.Client;
using Hexcast.Contracts.V1;
using Hexcast.Coordination;
using Hexcast.Coordination.Client;
using Hexcast.Harness;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Storage;

namespace Hexcast.Master.Tests;

/// <summary>What the master keeps, in a real etcd: 128 operations and 1.5 MiB a transaction.</summary>
public sealed class EtcdTests(EtcdTests.Etcd etcd) : IClassFixture<EtcdTests.Etcd>
{
    private const int Tasks = 2_000;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_of_thousands_of_tasks_is_written_in_parts_that_fit_and_loaded_whole()
    {
        var fence = await ElectAsync();
        var store = new CoordinatorJobStore(etcd.Client);
        await store.LoadAsync(fence, Cancel);
        var log = new EffectLog();
        log.Add([new Persist([RecordWrite.Of(new JobRecord { JobId = "large" })])]);
        log.Add(Enumerable.Range(0, Tasks).Select(number => new Persist([Task(number)])));

        var transactions = 0;
        while (log.TakeBatch() is { } batch)
        {
            (await store.CommitAsync(fence, batch, Cancel)).ShouldBeTrue();
            log.Committed();
            while (log.Next() is not null)
            {
                // What is behind a write may happen now.
            }

            transactions++;
        }

        var loaded = await new CoordinatorJobStore(etcd.Client).LoadAsync(fence, Cancel);
        loaded.Jobs.ShouldHaveSingleItem().JobId.ShouldBe("large");
        loaded.Tasks.Count.ShouldBe(Tasks);
        loaded.Tasks.Sum(task => task.CalculateSize()).ShouldBeGreaterThan(4 * CoordinatorClient.MaximumRequestBytes);
        transactions.ShouldBeGreaterThan(4);
    }

    [Fact]
    public async Task What_no_transaction_can_hold_is_refused_by_name_and_nothing_of_it_is_written()
    {
        var fence = await ElectAsync();
        var store = new CoordinatorJobStore(etcd.Client);
        await store.LoadAsync(fence, Cancel);
        RecordWrite[] writes =
        [
            RecordWrite.Of(new JobRecord { JobId = "small" }),
            RecordWrite.Of(new JobRecord { JobId = "huge", SourceKey = new string('x', 2_000_000) }),
        ];

        (await Should.ThrowAsync<CoordinatorException>(() => store.CommitAsync(fence, writes, Cancel)))
            .Error.ShouldBe(CoordinatorError.RequestTooLarge);
        (await etcd.Client.GetAsync(RecordWrite.JobKey("small"), Cancel)).ShouldBeNull();
    }

    private async Task<long> ElectAsync()
    {
        await etcd.Client.PutAsync(CoordinatorClient.ElectionKey, ByteString.CopyFromUtf8("me"), Cancel);
        return (await etcd.Client.GetAsync(CoordinatorClient.ElectionKey, Cancel))!.CreateRevision;
    }

    private static RecordWrite Task(int number) => RecordWrite.Of(new TaskRecord
    {
        JobId = "large",
        TaskId = $"chunk-{number:d4}",
        LastFailure = new TaskFailure { Code = "tool_failed", LogTail = new string('w', 4_000) },
    });

    /// <summary>One member, whose address nodes can be given too.</summary>
    public sealed class Etcd : IAsyncLifetime
    {
        private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("hexcast-master-etcd-");
        private EtcdMember? member;
        private GrpcChannel? channel;

        public CoordinatorClient Client => new(channel!.CreateCallInvoker(), TimeProvider.System);

        public string Address => member!.Address;

        public async ValueTask InitializeAsync()
        {
            member = (await EtcdMember.StartAsync(folder.FullName))[0];
            channel = GrpcChannel.ForAddress(member.Address);
        }

        public async ValueTask DisposeAsync()
        {
            channel?.Dispose();
            await member!.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }
}
