using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Mvcc;

namespace Hexcast.Coordination.Embedded;

/// <summary>What can be said of a request without looking at the state: refused before it reaches the log.</summary>
internal static class RequestRules
{
    /// <summary>etcd's default: 1.5 MiB.</summary>
    public const int MaximumRequestBytes = 3 * 512 * 1024;

    /// <summary>etcd's default, for guards and for each branch.</summary>
    public const int MaximumOperations = 128;

    public static CoordinatorError Check(RangeRequest request) =>
        request.Key.IsEmpty ? CoordinatorError.EmptyKey : CoordinatorError.None;

    public static CoordinatorError Check(PutRequest request)
    {
        var error = CheckPut(request);
        return error != CoordinatorError.None
            ? error
            : CheckWrite(request, request.Key.Equals(StateMachine.ElectionKey));
    }

    public static CoordinatorError Check(DeleteRangeRequest request) => request.Key.IsEmpty
        ? CoordinatorError.EmptyKey
        : CheckWrite(request, KeyRange.Of(request.Key, request.RangeEnd).Contains(StateMachine.ElectionKey));

    public static CoordinatorError Check(TxnRequest request)
    {
        var error = CheckTxn(request, MaximumOperations);
        if (error != CoordinatorError.None)
        {
            return error;
        }
        // After the limits: only so is the quadratic comparison of intervals bounded.
        if (!Writes.TryCollect(request.Success, out var success)
            || !Writes.TryCollect(request.Failure, out var failure))
        {
            return CoordinatorError.DuplicateKey;
        }
        var key = StateMachine.ElectionKey;
        return CheckWrite(request, success.Touches(key) || failure.Touches(key));
    }

    public static bool IsReadOnly(TxnRequest request) =>
        request.Success.Concat(request.Failure).All(operation => operation.RequestCase switch
        {
            RequestOp.RequestOneofCase.RequestRange => true,
            RequestOp.RequestOneofCase.RequestTxn => IsReadOnly(operation.RequestTxn),
            _ => false,
        });

    public static bool HasPut(TxnRequest request) =>
        request.Success.Concat(request.Failure).Any(operation => operation.RequestCase switch
        {
            RequestOp.RequestOneofCase.RequestPut => true,
            RequestOp.RequestOneofCase.RequestTxn => HasPut(operation.RequestTxn),
            _ => false,
        });

    private static CoordinatorError CheckWrite(IMessage request, bool touchesElection)
    {
        if (request.CalculateSize() > MaximumRequestBytes)
        {
            return CoordinatorError.RequestTooLarge;
        }
        // The mastership follows from the log itself; a client that could write it could forge the fence.
        return touchesElection ? CoordinatorError.PermissionDenied : CoordinatorError.None;
    }

    private static CoordinatorError CheckPut(PutRequest request)
    {
        if (request.Key.IsEmpty)
        {
            return CoordinatorError.EmptyKey;
        }
        if (request.IgnoreValue && !request.Value.IsEmpty)
        {
            return CoordinatorError.ValueProvided;
        }
        return request.IgnoreLease && request.Lease != 0 ? CoordinatorError.LeaseProvided : CoordinatorError.None;
    }

    private static CoordinatorError CheckTxn(TxnRequest request, int budget)
    {
        var operations = Math.Max(request.Compare.Count, Math.Max(request.Success.Count, request.Failure.Count));
        if (operations > budget)
        {
            return CoordinatorError.TooManyOperations;
        }
        if (request.Compare.Any(compare => compare.Key.IsEmpty))
        {
            return CoordinatorError.EmptyKey;
        }
        // As in etcd, a nested transaction shares what its parent left of the budget; that also bounds the depth.
        return request.Success.Concat(request.Failure)
            .Select(operation => CheckOperation(operation, budget - operations))
            .FirstOrDefault(error => error != CoordinatorError.None);
    }

    private static CoordinatorError CheckOperation(RequestOp operation, int budget) => operation.RequestCase switch
    {
        RequestOp.RequestOneofCase.RequestRange => Check(operation.RequestRange),
        RequestOp.RequestOneofCase.RequestPut => CheckPut(operation.RequestPut),
        RequestOp.RequestOneofCase.RequestDeleteRange =>
            operation.RequestDeleteRange.Key.IsEmpty ? CoordinatorError.EmptyKey : CoordinatorError.None,
        RequestOp.RequestOneofCase.RequestTxn => CheckTxn(operation.RequestTxn, budget),
        _ => CoordinatorError.KeyNotFound,
    };

    /// <summary>The keys that a list of operations may put and the ranges that it may delete.</summary>
    private sealed class Writes
    {
        private readonly HashSet<ByteString> _puts = [];
        private readonly List<KeyRange> _deletes = [];

        public bool Touches(ByteString key) => _puts.Contains(key) || Deletes(key);

        /// <summary>False if a key could be written twice in one revision.</summary>
        public static bool TryCollect(IEnumerable<RequestOp> operations, out Writes writes)
        {
            writes = new Writes();
            var all = operations.ToList();
            foreach (var delete in all.Where(operation =>
                operation.RequestCase == RequestOp.RequestOneofCase.RequestDeleteRange))
            {
                var request = delete.RequestDeleteRange;
                writes._deletes.Add(KeyRange.Of(request.Key, request.RangeEnd));
            }
            foreach (var nested in all.Where(operation =>
                operation.RequestCase == RequestOp.RequestOneofCase.RequestTxn))
            {
                if (!writes.TryAddNested(nested.RequestTxn))
                {
                    return false;
                }
            }
            foreach (var put in all.Where(operation => operation.RequestCase == RequestOp.RequestOneofCase.RequestPut))
            {
                if (!writes.TryAddPut(put.RequestPut.Key))
                {
                    return false;
                }
            }
            return true;
        }

        private bool TryAddNested(TxnRequest request)
        {
            if (!TryCollect(request.Success, out var success) || !TryCollect(request.Failure, out var failure))
            {
                return false;
            }
            // Only one branch runs, so that both may put the same key.
            if (!success._puts.Union(failure._puts).All(TryAddPut))
            {
                return false;
            }
            _deletes.AddRange(success._deletes);
            _deletes.AddRange(failure._deletes);
            return true;
        }

        private bool TryAddPut(ByteString key) => !Deletes(key) && _puts.Add(key);

        private bool Deletes(ByteString key) => _deletes.Exists(range => range.Contains(key));
    }
}
