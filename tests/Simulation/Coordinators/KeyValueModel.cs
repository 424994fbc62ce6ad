using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination;
using Hexcast.Coordination.Embedded.Log;

namespace Hexcast.Simulation.Coordinators;

/// <summary>What a key held from a revision on; no value: nothing.</summary>
internal sealed record Held(long Revision, string? Value, long Created, long Version, long Lease);

/// <summary>What a command came to, as a client would be told.</summary>
internal sealed record ModelOutcome(CoordinatorError Error, string Told);

/// <summary>
/// Keys and leases once more, as simply as they can be written: by key the list of what it held, nothing else. It
/// shares no code with the store that it judges.
/// </summary>
internal sealed class KeyValueModel
{
    private readonly SortedDictionary<string, List<Held>> _keys = new(StringComparer.Ordinal);

    private long _compacted;

    public SortedSet<long> Leases { get; } = [];

    public long Revision { get; private set; } = 1;

    /// <summary>In the order of revisions, and within one as they were made.</summary>
    public List<(long Revision, string Key, string? Value)> Changes { get; } = [];

    public Held? At(string key, long revision) => _keys.TryGetValue(key, out var held)
        && held.FindLast(h => h.Revision <= revision) is { Value: not null } there ? there : null;

    public IEnumerable<(string Key, Held Held)> Range(string key, string end, long revision) => _keys.Keys
        .Where(k => Contains(k, key, end)).Select(k => (k, At(k, revision)!)).Where(pair => pair.Item2 is not null);

    /// <summary>A range as text: what is told is compared as that.</summary>
    public string Told(RangeRequest request, long revision) => Words(Range(
        request.Key.ToStringUtf8(), request.RangeEnd.ToStringUtf8(), revision).Select(pair => Word(
            pair.Key, pair.Held.Value!, pair.Held.Created, pair.Held.Revision, pair.Held.Version, pair.Held.Lease)));

    public static string Told(RangeResponse response) => Words(response.Kvs.Select(kv => Word(
        kv.Key.ToStringUtf8(), kv.Value.ToStringUtf8(), kv.CreateRevision, kv.ModRevision, kv.Version, kv.Lease)));

    public static string Told(TxnResponse response) => (response.Succeeded ? "then " : "else ") + string.Join(
        "; ", response.Responses.Select(r => r.ResponseCase switch
        {
            ResponseOp.ResponseOneofCase.ResponseRange => Told(r.ResponseRange),
            ResponseOp.ResponseOneofCase.ResponseDeleteRange => $"{r.ResponseDeleteRange.Deleted} deleted",
            _ => "put",
        }));

    /// <summary>What a write was told, and at which revision.</summary>
    public static (long Revision, string Told) Told(IMessage? response) => response switch
    {
        PutResponse put => (put.Header.Revision, "put"),
        DeleteRangeResponse deleted => (deleted.Header.Revision, $"{deleted.Deleted} deleted"),
        TxnResponse txn => (txn.Header.Revision, Told(txn)),
        LeaseGrantResponse granted => (granted.Header.Revision, $"lease {granted.ID}"),
        LeaseRevokeResponse revoked => (revoked.Header.Revision, "revoked"),
        CompactionResponse compacted => (compacted.Header.Revision, "compacted"),
        null => (0, ""),
        _ => throw new InvalidOperationException($"{response.Descriptor.Name} answers no write."),
    };

    public ModelOutcome Apply(Command command)
    {
        var next = Revision + 1;
        switch (command.KindCase)
        {
            case Command.KindOneofCase.Put:
                if (IsLeaseMissing(command.Put))
                {
                    return Refused(CoordinatorError.LeaseNotFound);
                }
                Put(command.Put, next);
                return Done("put");
            case Command.KindOneofCase.DeleteRange:
                return Done($"{Delete(command.DeleteRange, next)} deleted");
            case Command.KindOneofCase.Txn:
                return Txn(command.Txn, next);
            case Command.KindOneofCase.LeaseGrant:
                return Leases.Add(command.LeaseGrant.ID)
                    ? Done($"lease {command.LeaseGrant.ID}")
                    : Refused(CoordinatorError.LeaseExists);
            case Command.KindOneofCase.LeaseRevoke:
                return End(command.LeaseRevoke.ID) ? Done("revoked") : Refused(CoordinatorError.LeaseNotFound);
            case Command.KindOneofCase.LeaseExpire:
                foreach (var id in command.LeaseExpire.Ids)
                {
                    End(id);
                }
                return Done("ended");
            case Command.KindOneofCase.Compact:
                return Compact(command.Compact.Revision);
            case Command.KindOneofCase.TermStart:
                Set(GroupOracle.ElectionKey, null, 0, next);
                Settle();
                Set(GroupOracle.ElectionKey, command.TermStart.Node, 0, Revision + 1);
                return Done("leads");
            default:
                return Done("");
        }
    }

    /// <summary>What a transaction that only reads would be told at this revision.</summary>
    public string Read(TxnRequest request, long revision)
    {
        var holds = request.Compare.All(compare => Holds(compare, revision));
        return Words(holds, (holds ? request.Success : request.Failure)
            .Select(operation => Told(operation.RequestRange, revision)));
    }

    private ModelOutcome Txn(TxnRequest request, long next)
    {
        var holds = request.Compare.All(compare => Holds(compare, Revision));
        var operations = holds ? request.Success : request.Failure;
        if (operations.Any(operation => operation.RequestPut is { } put && IsLeaseMissing(put)))
        {
            return Refused(CoordinatorError.LeaseNotFound);
        }
        var told = new List<string>();
        foreach (var operation in operations)
        {
            switch (operation.RequestCase)
            {
                case RequestOp.RequestOneofCase.RequestPut:
                    Put(operation.RequestPut, next);
                    told.Add("put");
                    break;
                case RequestOp.RequestOneofCase.RequestDeleteRange:
                    told.Add($"{Delete(operation.RequestDeleteRange, next)} deleted");
                    break;
                default:
                    told.Add(Told(operation.RequestRange, next));
                    break;
            }
        }
        return Done(Words(holds, told));
    }

    private bool Holds(Compare compare, long revision)
    {
        var held = At(compare.Key.ToStringUtf8(), revision);
        return compare.Target switch
        {
            Compare.Types.CompareTarget.Mod => (held?.Revision ?? 0) == compare.ModRevision,
            Compare.Types.CompareTarget.Create => (held?.Created ?? 0) == compare.CreateRevision,
            Compare.Types.CompareTarget.Version => (held?.Version ?? 0) == compare.Version,
            Compare.Types.CompareTarget.Value => held?.Value == compare.Value.ToStringUtf8(),
            _ => throw new InvalidOperationException($"The model compares no {compare.Target}."),
        } == (compare.Result == Compare.Types.CompareResult.Equal);
    }

    private bool IsLeaseMissing(PutRequest put) => put.Lease != 0 && !Leases.Contains(put.Lease);

    private void Put(PutRequest put, long next) =>
        Set(put.Key.ToStringUtf8(), put.Value.ToStringUtf8(), put.Lease, next);

    private int Delete(DeleteRangeRequest request, long next)
    {
        var keys = Range(request.Key.ToStringUtf8(), request.RangeEnd.ToStringUtf8(), next)
            .Select(pair => pair.Key).ToList();
        keys.ForEach(key => Set(key, null, 0, next));
        return keys.Count;
    }

    private ModelOutcome Compact(long revision)
    {
        if (revision <= _compacted || revision > Revision)
        {
            return Refused(revision > Revision ? CoordinatorError.FutureRevision : CoordinatorError.Compacted);
        }
        _compacted = revision;
        return Done("compacted");
    }

    private bool End(long lease)
    {
        if (!Leases.Remove(lease))
        {
            return false;
        }
        var next = Revision + 1;
        foreach (var key in _keys.Keys.Where(key => At(key, next)?.Lease == lease).ToList())
        {
            Set(key, null, 0, next);
        }
        Settle();
        return true;
    }

    private void Set(string key, string? value, long lease, long revision)
    {
        var before = At(key, revision);
        if (value is null && before is null)
        {
            return;
        }
        if (!_keys.TryGetValue(key, out var held))
        {
            _keys.Add(key, held = []);
        }
        held.Add(value is null
            ? new Held(revision, null, 0, 0, 0)
            : new Held(revision, value, before?.Created ?? revision, (before?.Version ?? 0) + 1, lease));
        Changes.Add((revision, key, value));
    }

    private void Settle() => Revision = Changes.Count > 0 ? Changes[^1].Revision : Revision;

    private ModelOutcome Done(string told)
    {
        Settle();
        return new ModelOutcome(CoordinatorError.None, told);
    }

    private static ModelOutcome Refused(CoordinatorError error) => new(error, "");

    private static bool Contains(string key, string from, string end) => end.Length == 0
        ? key == from
        : string.CompareOrdinal(key, from) >= 0 && string.CompareOrdinal(key, end) < 0;

    private static string Word(string key, string value, long created, long changed, long version, long lease) =>
        $"{key}={value}@{created}/{changed}/{version}/{lease}";

    private static string Words(IEnumerable<string> words) => $"[{string.Join(' ', words)}]";

    private static string Words(bool holds, IEnumerable<string> told) =>
        (holds ? "then " : "else ") + string.Join("; ", told);
}
