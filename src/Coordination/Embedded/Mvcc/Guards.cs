using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Embedded.Mvcc;

/// <summary>The guards of a transaction, as etcd 3.4 evaluates them.</summary>
internal static class Guards
{
    private static readonly KeyValue Missing = new();

    public static bool Hold(MvccStore store, IEnumerable<Compare> compares) =>
        compares.All(compare => Holds(store, compare));

    private static bool Holds(MvccStore store, Compare compare)
    {
        var any = false;
        foreach (var value in store.Range(KeyRange.Of(compare.Key, compare.RangeEnd), store.ReadRevision))
        {
            any = true;
            if (!Holds(compare, value))
            {
                return false;
            }
        }
        // A missing key has revisions and version 0, but no value: every comparison of a value fails, "not equal" too.
        return any || (compare.Target != Compare.Types.CompareTarget.Value && Holds(compare, Missing));
    }

    private static bool Holds(Compare compare, KeyValue value)
    {
        var order = compare.Target switch
        {
            Compare.Types.CompareTarget.Version => value.Version.CompareTo(compare.Version),
            Compare.Types.CompareTarget.Create => value.CreateRevision.CompareTo(compare.CreateRevision),
            Compare.Types.CompareTarget.Mod => value.ModRevision.CompareTo(compare.ModRevision),
            Compare.Types.CompareTarget.Value => Bytes.Compare(value.Value, compare.Value),
            Compare.Types.CompareTarget.Lease => value.Lease.CompareTo(compare.Lease),
            _ => 0,
        };
        return compare.Result switch
        {
            Compare.Types.CompareResult.Equal => order == 0,
            Compare.Types.CompareResult.NotEqual => order != 0,
            Compare.Types.CompareResult.Greater => order > 0,
            Compare.Types.CompareResult.Less => order < 0,
            _ => true,
        };
    }
}
