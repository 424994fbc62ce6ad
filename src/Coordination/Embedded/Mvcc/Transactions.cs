using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Leases;

namespace Hexcast.Coordination.Embedded.Mvcc;

/// <summary>A transaction whose guards are evaluated: the operations of the branch taken, nested ones alike.</summary>
internal sealed record TxnPath(bool Succeeded, IReadOnlyList<(RequestOp Operation, TxnPath? Nested)> Steps);

/// <summary>
/// Runs operations on the store in etcd's order: all guards (nested ones too) against the state before, then all
/// checks, then the operations, which can no longer fail; so nothing is ever rolled back.
/// </summary>
internal static class Transactions
{
    public static TxnPath Choose(MvccStore store, TxnRequest request)
    {
        var succeeded = Guards.Hold(store, request.Compare);
        var operations = succeeded ? request.Success : request.Failure;
        return new TxnPath(succeeded, [.. operations.Select(operation => (operation,
            operation.RequestCase == RequestOp.RequestOneofCase.RequestTxn
                ? Choose(store, operation.RequestTxn)
                : null))]);
    }

    public static CoordinatorError Check(MvccStore store, LeaseTable leases, PutRequest request)
    {
        if (request.Lease != 0 && !leases.Exists(request.Lease))
        {
            return CoordinatorError.LeaseNotFound;
        }
        return (request.IgnoreValue || request.IgnoreLease) && store.Get(request.Key) is null
            ? CoordinatorError.KeyNotFound
            : CoordinatorError.None;
    }

    public static CoordinatorError Check(MvccStore store, LeaseTable leases, TxnPath path)
    {
        foreach (var (operation, nested) in path.Steps)
        {
            var error = operation.RequestCase switch
            {
                RequestOp.RequestOneofCase.RequestPut => Check(store, leases, operation.RequestPut),
                RequestOp.RequestOneofCase.RequestRange => RangeReader.Check(store, operation.RequestRange),
                RequestOp.RequestOneofCase.RequestTxn => Check(store, leases, nested!),
                _ => CoordinatorError.None,
            };
            if (error != CoordinatorError.None)
            {
                return error;
            }
        }
        return CoordinatorError.None;
    }

    public static TxnResponse Run(MvccStore store, TxnPath path)
    {
        var response = new TxnResponse { Succeeded = path.Succeeded };
        foreach (var (operation, nested) in path.Steps)
        {
            response.Responses.Add(operation.RequestCase switch
            {
                RequestOp.RequestOneofCase.RequestPut =>
                    new ResponseOp { ResponsePut = Put(store, operation.RequestPut) },
                RequestOp.RequestOneofCase.RequestDeleteRange =>
                    new ResponseOp { ResponseDeleteRange = Delete(store, operation.RequestDeleteRange) },
                RequestOp.RequestOneofCase.RequestTxn => new ResponseOp { ResponseTxn = Run(store, nested!) },
                _ => new ResponseOp { ResponseRange = RangeReader.Read(store, operation.RequestRange) },
            });
        }
        response.Header = Header(store);
        return response;
    }

    public static PutResponse Put(MvccStore store, PutRequest request)
    {
        var previous = store.Get(request.Key);
        store.Put(
            request.Key,
            request.IgnoreValue ? previous!.Value : request.Value,
            request.IgnoreLease ? previous!.Lease : request.Lease);
        return new PutResponse { PrevKv = request.PrevKv ? previous : null, Header = Header(store) };
    }

    public static DeleteRangeResponse Delete(MvccStore store, DeleteRangeRequest request)
    {
        var deleted = store.Delete(KeyRange.Of(request.Key, request.RangeEnd));
        var response = new DeleteRangeResponse { Deleted = deleted.Count, Header = Header(store) };
        if (request.PrevKv)
        {
            response.PrevKvs.AddRange(deleted);
        }
        return response;
    }

    private static ResponseHeader Header(MvccStore store) => new() { Revision = store.ReadRevision };
}
