using Google.Protobuf;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Tests.Servers;

namespace Hexcast.Coordination.Tests.Embedded;

public sealed class ElectionKeyTests(EmbeddedServer server) : IClassFixture<EmbeddedServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_leader_publishes_itself_and_its_create_revision_fences_transactions()
    {
        var client = server.Client;
        var master = await client.GetAsync(CoordinatorClient.ElectionKey, Cancellation);

        master.ShouldNotBeNull().Value.ToStringUtf8().ShouldBe("node-1");
        var revision = master.CreateRevision;
        var fence = Compare.CreateRevision(CoordinatorClient.ElectionKey);
        var put = Operation.Put("/fenced", ByteString.CopyFromUtf8("value"));
        (await client.TxnAsync([fence.EqualTo(revision)], [put], Cancellation)).Succeeded.ShouldBeTrue();
        (await client.TxnAsync([fence.EqualTo(revision - 1)], [put], Cancellation)).Succeeded.ShouldBeFalse();
    }

    [Fact]
    public async Task No_client_can_write_the_election_key()
    {
        var client = server.Client;
        var forged = ByteString.CopyFromUtf8("somebody else");

        await ShouldBeDenied(() => client.PutAsync(CoordinatorClient.ElectionKey, forged, Cancellation));
        await ShouldBeDenied(() => client.DeleteAsync(CoordinatorClient.ElectionKey, Cancellation));
        await ShouldBeDenied(() => client.DeletePrefixAsync("/hexcast/", Cancellation));
        await ShouldBeDenied(() => client.TxnAsync([], [Operation.DeletePrefix("/hexcast/election")], Cancellation));
        await ShouldBeDenied(() => client.TxnAsync(
            [Compare.Missing("/nothing")], [], [Operation.Put(CoordinatorClient.ElectionKey, forged)], Cancellation));
    }

    private static async Task ShouldBeDenied(Func<Task> write) =>
        (await Should.ThrowAsync<CoordinatorException>(write)).Error.ShouldBe(CoordinatorError.PermissionDenied);
}
