using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Tests.Servers;
using Hexcast.Harness;
using Hexcast.Platform.Configuration;
using Microsoft.Extensions.Configuration;

namespace Hexcast.Coordination.Tests.Members;

/// <summary>What is seen of members of etcd that have fallen out with each other.</summary>
public sealed class DivergenceTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Members_that_have_fallen_out_are_found_and_their_refusals_are_named()
    {
        using var folder = new TemporaryFolder();
        await using var etcd = await SecureEtcd.StartAsync(
            folder.Path, flags: SecureEtcd.WithChecks(TimeSpan.FromSeconds(1)));
        var leader = await etcd.LeaderAsync();
        var options = new ConfigurationBuilder()
            .AddInMemoryCollection(etcd.Settings().Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
            .Build();
        await using var client = new MembersClient(
            OptionsBinder.Bind<CoordinationOptions>(options, "Coordination") with { Endpoints = [leader.Address] });
        await client.Client.PutAsync("/hexcast/test/alike", ByteString.Empty, Cancellation);
        await etcd.CheckAgreementAsync();

        // etcd's issue 18667; nothing of Hexcast's reads at a revision in a transaction.
        var key = ByteString.CopyFromUtf8("/hexcast/test/only-there");
        var apart = new TxnRequest
        {
            Success =
            {
                new RequestOp { RequestPut = new PutRequest { Key = key } },
                new RequestOp { RequestRange = new RangeRequest { Key = key, Revision = 1_000_000 } },
            },
        };
        await Should.ThrowAsync<RpcException>(
            async () => await new KV.KVClient(client.Invoker).TxnAsync(apart, cancellationToken: Cancellation));

        (await Should.ThrowAsync<InvalidOperationException>(etcd.CheckAgreementAsync))
            .Message.ShouldContain($"fallen out with each other:\n");
        CoordinatorException? refused = null;
        await Wait.ForAsync(
            async () =>
            {
                refused = await RefusalAsync(client.Client);
                return refused is not null;
            },
            Limit, () => "writes are taken as before");
        refused!.Error.ShouldBe(CoordinatorError.MembersDisagree);
        refused.Message.ShouldContain("corrupt cluster");
    }

    private static async Task<CoordinatorException?> RefusalAsync(CoordinatorClient client)
    {
        try
        {
            await client.PutAsync("/hexcast/test/more", ByteString.Empty, Cancellation);
            return null;
        }
        catch (CoordinatorException refused)
        {
            return refused;
        }
    }
}
