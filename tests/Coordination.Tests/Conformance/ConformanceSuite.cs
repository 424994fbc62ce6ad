using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Tests.Servers;

namespace Hexcast.Coordination.Tests.Conformance;

/// <summary>
/// What the embedded coordinator and a real etcd have to answer alike. Each suite derives from it once, and is run by a
/// class for each server; each test keeps to keys of its own.
/// </summary>
public abstract class ConformanceSuite(CoordinatorServer server)
{
    private static int _lastTest;

    protected CoordinatorServer Server { get; } = server;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Nobody else's; ends in a slash.</summary>
    protected string Prefix { get; } =
        $"/test-{Interlocked.Increment(ref _lastTest).ToString("d6", CultureInfo.InvariantCulture)}/";

    protected ByteString Key(string name) => ByteString.CopyFromUtf8(Prefix + name);

    protected static ByteString Text(string text) => ByteString.CopyFromUtf8(text);

    protected ByteString PrefixKey => Text(Prefix);

    /// <summary>The exclusive end of this test's keys: '0' follows '/'.</summary>
    protected ByteString PrefixEnd => Text(Prefix[..^1] + "0");

    protected async Task<long> Put(string name, string value, long lease = 0)
    {
        var request = new PutRequest { Key = Key(name), Value = Text(value), Lease = lease };
        return (await Server.Kv.PutAsync(request, cancellationToken: Cancellation)).Header.Revision;
    }

    protected async Task<KeyValue?> Get(string name)
    {
        var response = await Server.Kv.RangeAsync(
            new RangeRequest { Key = Key(name) }, cancellationToken: Cancellation);
        return response.Kvs.SingleOrDefault();
    }

    protected async Task<DeleteRangeResponse> Delete(string name) =>
        await Server.Kv.DeleteRangeAsync(new DeleteRangeRequest { Key = Key(name) }, cancellationToken: Cancellation);

    protected async Task<RangeResponse> Range(RangeRequest request)
    {
        if (request.Key.IsEmpty)
        {
            (request.Key, request.RangeEnd) = (PrefixKey, PrefixEnd);
        }
        return await Server.Kv.RangeAsync(request, cancellationToken: Cancellation);
    }

    protected async Task<TxnResponse> Txn(TxnRequest request) =>
        await Server.Kv.TxnAsync(request, cancellationToken: Cancellation);

    protected string[] Names(IEnumerable<KeyValue> values) =>
        [.. values.Select(value => value.Key.ToStringUtf8()[Prefix.Length..])];

    protected static async Task ShouldFail(Func<Task> call, StatusCode code, string words)
    {
        var exception = await Should.ThrowAsync<RpcException>(call);
        exception.Status.StatusCode.ShouldBe(code, exception.Status.Detail);
        exception.Status.Detail.ShouldBe(words);
    }
}
