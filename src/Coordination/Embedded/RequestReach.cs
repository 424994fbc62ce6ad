using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Mvcc;

namespace Hexcast.Coordination.Embedded;

/// <summary>
/// How much of the store a request goes through. It does so on the core's thread, where heartbeats wait for it: more
/// than they can wait for is refused, and is for the caller to ask for in parts. A write is looked at before it is put
/// into the log and never again: what stands there has to come to the same everywhere and at all times.
/// </summary>
internal sealed class RequestReach
{
    /// <summary>Keys that one request goes through, with all operations of a transaction. Deleted ones do not count:
    /// there are only as many as the history holds. Nor do those that are only counted, which are not looked at.
    /// </summary>
    public const int MaximumKeys = 16_384;

    /// <summary>Of these keys and values, as far as the answer may hold them.</summary>
    public const int MaximumBytes = 16 * 1024 * 1024;

    private readonly MvccStore _store;
    private long _keys;
    private long _bytes;

    private RequestReach(MvccStore store) => _store = store;

    public static CoordinatorError Check(MvccStore store, Command command) => command.KindCase switch
    {
        Command.KindOneofCase.DeleteRange => Check(store, command.DeleteRange),
        Command.KindOneofCase.Txn => Check(store, command.Txn),
        _ => CoordinatorError.None,
    };

    /// <param name="request">Of a key or a range of them, or a transaction.</param>
    public static CoordinatorError Check(MvccStore store, IMessage request) =>
        new RequestReach(store).Holds(request) ? CoordinatorError.None : CoordinatorError.RequestTooLarge;

    private bool Holds(IMessage request) => request switch
    {
        RangeRequest { CountOnly: false } range => Holds(range),
        DeleteRangeRequest delete => Holds(KeyRange.Of(delete.Key, delete.RangeEnd), isAnswered: delete.PrevKv),
        PutRequest { PrevKv: true } put => Holds(KeyRange.Of(put.Key, ByteString.Empty), isAnswered: true),
        TxnRequest txn => Holds(txn),
        _ => true,
    };

    /// <summary>Which branch will run is not known before.</summary>
    private bool Holds(TxnRequest txn)
    {
        if (!txn.Compare.All(guard => Holds(KeyRange.Of(guard.Key, guard.RangeEnd), isAnswered: false)))
        {
            return false;
        }
        var (keys, bytes) = (_keys, _bytes);
        if (!txn.Success.All(Holds))
        {
            return false;
        }
        var success = (Keys: _keys, Bytes: _bytes);
        (_keys, _bytes) = (keys, bytes);
        if (!txn.Failure.All(Holds))
        {
            return false;
        }
        (_keys, _bytes) = (Math.Max(_keys, success.Keys), Math.Max(_bytes, success.Bytes));
        return true;
    }

    private bool Holds(RequestOp operation) => operation.RequestCase switch
    {
        RequestOp.RequestOneofCase.RequestRange => Holds((IMessage)operation.RequestRange),
        RequestOp.RequestOneofCase.RequestPut => Holds((IMessage)operation.RequestPut),
        RequestOp.RequestOneofCase.RequestDeleteRange => Holds((IMessage)operation.RequestDeleteRange),
        RequestOp.RequestOneofCase.RequestTxn => Holds(operation.RequestTxn),
        _ => true,
    };

    private bool Holds(RangeRequest request)
    {
        // One more than the limit is looked at; all, where the first ones are found only by looking at all.
        var most = request.Limit > 0 && !RangeReader.Sorts(request) && !RangeReader.Filters(request)
            ? request.Limit + 1
            : long.MaxValue;
        return Holds(
            KeyRange.Of(request.Key, request.RangeEnd), isAnswered: true, most,
            request.Revision > 0 ? request.Revision : _store.Revision, request.KeysOnly);
    }

    private bool Holds(KeyRange range, bool isAnswered) =>
        Holds(range, isAnswered, most: long.MaxValue, _store.Revision, keysOnly: false);

    private bool Holds(KeyRange range, bool isAnswered, long most, long revision, bool keysOnly)
    {
        if (range.IsPoint && !isAnswered)
        {
            return ++_keys <= MaximumKeys;
        }
        foreach (var value in _store.Range(range, revision))
        {
            if (most-- == 0)
            {
                break;
            }
            _bytes += isAnswered ? value.Key.Length + (keysOnly ? 0 : value.Value.Length) : 0;
            if (++_keys > MaximumKeys || _bytes > MaximumBytes)
            {
                return false;
            }
        }
        return true;
    }
}
