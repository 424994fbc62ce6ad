using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;

namespace Hexcast.Coordination.Embedded.Services;

internal sealed class KvService(EmbeddedCoordinatorHolder holder) : KV.KVBase
{
    public override Task<RangeResponse> Range(RangeRequest request, ServerCallContext context)
    {
        Refuse.If(RequestRules.Check(request));
        return holder.Requests.ReadAsync<RangeResponse>(request, context.CancellationToken);
    }

    public override Task<PutResponse> Put(PutRequest request, ServerCallContext context)
    {
        Refuse.If(RequestRules.Check(request));
        return ProposeAsync<PutResponse>(new Command { Put = request }, context);
    }

    public override Task<DeleteRangeResponse> DeleteRange(DeleteRangeRequest request, ServerCallContext context)
    {
        Refuse.If(RequestRules.Check(request));
        return ProposeAsync<DeleteRangeResponse>(new Command { DeleteRange = request }, context);
    }

    public override Task<TxnResponse> Txn(TxnRequest request, ServerCallContext context)
    {
        Refuse.If(RequestRules.Check(request));
        return RequestRules.IsReadOnly(request)
            ? holder.Requests.ReadAsync<TxnResponse>(request, context.CancellationToken)
            : ProposeAsync<TxnResponse>(new Command { Txn = request }, context);
    }

    public override Task<CompactionResponse> Compact(CompactionRequest request, ServerCallContext context) =>
        ProposeAsync<CompactionResponse>(new Command { Compact = request }, context);

    private Task<TResponse> ProposeAsync<TResponse>(Command command, ServerCallContext context)
        where TResponse : class, Google.Protobuf.IMessage<TResponse>, new() =>
        holder.Requests.ProposeAsync<TResponse>(command, context.CancellationToken);
}

internal static class Refuse
{
    public static void If(CoordinatorError error)
    {
        if (error != CoordinatorError.None)
        {
            throw new RpcException(CoordinatorErrors.StatusOf(error));
        }
    }
}
