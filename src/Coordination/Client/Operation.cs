using Google.Protobuf;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Client;

/// <summary>One step of a transaction. No key may be written twice in one.</summary>
public sealed class Operation
{
    private Operation(RequestOp message) => Message = message;

    internal RequestOp Message { get; }

    public static Operation Put(string key, ByteString value, long leaseId = 0) => new(new RequestOp
    {
        RequestPut = new PutRequest { Key = KeyBytes.Of(key), Value = value, Lease = leaseId },
    });

    public static Operation Delete(string key) => new(new RequestOp
    {
        RequestDeleteRange = new DeleteRangeRequest { Key = KeyBytes.Of(key) },
    });

    public static Operation DeletePrefix(string prefix)
    {
        var (key, end) = KeyBytes.Prefix(prefix);
        return new Operation(new RequestOp
        {
            RequestDeleteRange = new DeleteRangeRequest { Key = key, RangeEnd = end },
        });
    }

    public static Operation Get(string key) => new(new RequestOp
    {
        RequestRange = new RangeRequest { Key = KeyBytes.Of(key) },
    });
}
