using System.Globalization;
using Google.Protobuf;
using Hexcast.Coordination.Client;
using Hexcast.Master.Scheduling;

namespace Hexcast.Master.Storage;

/// <summary>
/// Records as guarded writes. Each transaction compares the election key's create revision, so that the store itself
/// rejects a master that was replaced (I3), and the key that the term has written before it read anything: a write that
/// an earlier term of the same mastership has given up for lost, and that arrives late, changes nothing.
/// </summary>
internal sealed class RecordTransactions
{
    private const string TermKey = "/hexcast/terms/master";

    private readonly Dictionary<string, long> revisions = new(StringComparer.Ordinal);
    private long term;

    public static IEnumerable<Compare> BeginGuards(long fence) => [Fence(fence)];

    public static IEnumerable<Operation> Begin(long fence) =>
        [Operation.Put(TermKey, ByteString.CopyFromUtf8(fence.ToString(CultureInfo.InvariantCulture)))];

    /// <summary>The term has begun, at that revision; what it reads from now on, nobody else changes.</summary>
    public void Begun(long revision)
    {
        term = revision;
        revisions.Clear();
    }

    public void Read(string key, long modRevision) => revisions[key] = modRevision;

    public IEnumerable<Compare> Guards(long fence, IReadOnlyList<RecordWrite> writes)
    {
        var (comparesFence, comparesTerm) = (true, true);
        Planted.Bend(MasterFault.MastershipNotCompared, ref comparesFence, to: false);
        Planted.Bend(MasterFault.MastershipNotCompared, ref comparesTerm, to: false);
        Planted.Bend(MasterFault.LateWriteOfAnEarlierTermAccepted, ref comparesTerm, to: false);
        if (comparesFence)
        {
            yield return Fence(fence);
        }

        if (comparesTerm)
        {
            yield return Compare.ModRevision(TermKey).EqualTo(term);
        }

        foreach (var write in writes)
        {
            yield return Compare.ModRevision(write.Key).EqualTo(revisions.GetValueOrDefault(write.Key));
        }
    }

    public static IEnumerable<Operation> Operations(IReadOnlyList<RecordWrite> writes) => writes.Select(w =>
        w.Value is null ? Operation.Delete(w.Key) : Operation.Put(w.Key, w.Value.ToByteString()));

    /// <summary>They were written, at that revision.</summary>
    public void Written(IReadOnlyList<RecordWrite> writes, long revision)
    {
        foreach (var write in writes)
        {
            if (write.Value is null)
            {
                revisions.Remove(write.Key);
            }
            else
            {
                revisions[write.Key] = revision;
            }
        }
    }

    private static Compare Fence(long fence) =>
        Compare.CreateRevision(CoordinatorClient.ElectionKey).EqualTo(fence);
}
