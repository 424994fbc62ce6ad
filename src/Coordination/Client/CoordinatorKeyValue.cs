using System.Text;
using Google.Protobuf;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Client;

/// <summary>A key as the coordinator holds it. Of a deletion only key and <see cref="ModRevision"/> are set.</summary>
/// <param name="CreateRevision">Revision that created it; 0 is what a missing key is compared as.</param>
/// <param name="Version">Writes since creation; 1 at creation.</param>
/// <param name="LeaseId">Lease that deletes it; 0 is none.</param>
public sealed record CoordinatorKeyValue(
    string Key, ByteString Value, long CreateRevision, long ModRevision, long Version, long LeaseId)
{
    internal static CoordinatorKeyValue From(KeyValue value) => new(
        value.Key.ToStringUtf8(), value.Value, value.CreateRevision, value.ModRevision, value.Version, value.Lease);
}

/// <summary>The keys under a prefix, all as they were at one revision.</summary>
public sealed record CoordinatorRange(long Revision, IReadOnlyList<CoordinatorKeyValue> KeyValues);

public sealed record CoordinatorTxnResult(
    bool Succeeded, long Revision, IReadOnlyList<CoordinatorOperationResult> Results);

/// <summary>What one operation of a transaction gave: the keys it read, or how many it deleted.</summary>
public sealed record CoordinatorOperationResult(IReadOnlyList<CoordinatorKeyValue> KeyValues, long Deleted);

internal static class KeyBytes
{
    public static readonly ByteString Zero = ByteString.CopyFrom(0);

    public static ByteString Of(string key) => ByteString.CopyFromUtf8(key);

    /// <summary>First key and exclusive end of everything that begins with the prefix; the empty one is all
    /// keys.</summary>
    public static (ByteString Key, ByteString End) Prefix(string prefix)
    {
        var bytes = Encoding.UTF8.GetBytes(prefix);
        var last = Array.FindLastIndex(bytes, value => value != 0xff);
        if (last < 0)
        {
            return (bytes.Length == 0 ? Zero : ByteString.CopyFrom(bytes), Zero);
        }
        var end = bytes.AsSpan(0, last + 1).ToArray();
        end[last]++;
        return (ByteString.CopyFrom(bytes), ByteString.CopyFrom(end));
    }
}
