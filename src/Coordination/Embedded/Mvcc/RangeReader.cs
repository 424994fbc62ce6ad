using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Embedded.Mvcc;

/// <summary>Answers a RangeRequest: revision, filters, order, limit, in etcd's sequence.</summary>
internal static class RangeReader
{
    public static CoordinatorError Check(MvccStore store, RangeRequest request) => request.Revision switch
    {
        <= 0 => CoordinatorError.None,
        _ when request.Revision > store.Revision => CoordinatorError.FutureRevision,
        _ when request.Revision < store.CompactedRevision => CoordinatorError.Compacted,
        _ => CoordinatorError.None,
    };

    public static bool Sorts(RangeRequest request) => request.SortOrder != RangeRequest.Types.SortOrder.None
        || request.SortTarget != RangeRequest.Types.SortTarget.Key;

    public static bool Filters(RangeRequest request) => request is not
    {
        MinModRevision: 0, MaxModRevision: 0, MinCreateRevision: 0, MaxCreateRevision: 0,
    };

    /// <summary>The header carries only the revision.</summary>
    public static RangeResponse Read(MvccStore store, RangeRequest request)
    {
        var revision = request.Revision > 0 ? request.Revision : store.ReadRevision;
        var response = new RangeResponse { Header = new ResponseHeader { Revision = store.ReadRevision } };
        var range = KeyRange.Of(request.Key, request.RangeEnd);
        response.Count = store.Count(range, revision);
        if (request.CountOnly)
        {
            return response;
        }
        var sorts = Sorts(request);
        var kept = new List<KeyValue>();
        foreach (var value in store.Range(range, revision).Where(value => Passes(value, request)))
        {
            kept.Add(value);
            // Unsorted, one more than the limit is enough to know that there is more.
            if (!sorts && request.Limit > 0 && kept.Count > request.Limit)
            {
                break;
            }
        }
        if (sorts)
        {
            Sort(kept, request);
        }
        if (request.Limit > 0 && kept.Count > request.Limit)
        {
            kept.RemoveRange((int)request.Limit, kept.Count - (int)request.Limit);
            response.More = true;
        }
        response.Kvs.AddRange(request.KeysOnly ? kept.Select(WithoutValue) : kept);
        return response;
    }

    private static bool Passes(KeyValue value, RangeRequest request) =>
        (request.MinModRevision == 0 || value.ModRevision >= request.MinModRevision)
        && (request.MaxModRevision == 0 || value.ModRevision <= request.MaxModRevision)
        && (request.MinCreateRevision == 0 || value.CreateRevision >= request.MinCreateRevision)
        && (request.MaxCreateRevision == 0 || value.CreateRevision <= request.MaxCreateRevision);

    private static void Sort(List<KeyValue> values, RangeRequest request)
    {
        Comparison<KeyValue> compare = request.SortTarget switch
        {
            RangeRequest.Types.SortTarget.Version => (a, b) => a.Version.CompareTo(b.Version),
            RangeRequest.Types.SortTarget.Create => (a, b) => a.CreateRevision.CompareTo(b.CreateRevision),
            RangeRequest.Types.SortTarget.Mod => (a, b) => a.ModRevision.CompareTo(b.ModRevision),
            RangeRequest.Types.SortTarget.Value => (a, b) => Bytes.Compare(a.Value, b.Value),
            _ => (a, b) => Bytes.Compare(a.Key, b.Key),
        };
        var sign = request.SortOrder == RangeRequest.Types.SortOrder.Descend ? -1 : 1;
        // Equal ones in key order, so that every member and every replay answers the same.
        values.Sort((a, b) =>
        {
            var order = sign * compare(a, b);
            return order != 0 ? order : Bytes.Compare(a.Key, b.Key);
        });
    }

    private static KeyValue WithoutValue(KeyValue value) => new()
    {
        Key = value.Key,
        CreateRevision = value.CreateRevision,
        ModRevision = value.ModRevision,
        Version = value.Version,
        Lease = value.Lease,
    };
}
