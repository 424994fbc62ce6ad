using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Mvcc;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Storage;

namespace Hexcast.Simulation.Jobs;

/// <summary>
/// The coordinator: its real state machine, on a log that always holds. Looks at every write: the first commit of a
/// task stands (I2), and nobody writes under another fence than the last one given (I3).
/// </summary>
internal sealed class JobStore(JobCluster cluster)
{
    private static readonly string[] Followed = ["/hexcast/settings/", "/hexcast/rules/"];

    private readonly StateMachine _state = new();
    private readonly Dictionary<string, uint> _commits = new(StringComparer.Ordinal);

    public long Fence { get; private set; }

    public int Writes { get; private set; }

    /// <summary>A new mastership; its fence.</summary>
    public long Elect(string node)
    {
        Apply(new Command { TermStart = new TermStart { Node = node } });
        return Fence = _state.Store.Get(StateMachine.ElectionKey)!.CreateRevision;
    }

    public void Set(string key, string? value)
    {
        Apply(value is null
            ? new Command { DeleteRange = new DeleteRangeRequest { Key = ByteString.CopyFromUtf8(key) } }
            : new Command
            {
                Put = new PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) },
            });
        cluster.TellSettings([new SettingValue(key, value is null ? null : ByteString.CopyFromUtf8(value))]);
    }

    public Loaded Load(RecordTransactions records, long fence)
    {
        var begin = new TxnRequest();
        begin.Compare.AddRange(RecordTransactions.BeginGuards(fence).Select(guard => guard.Message));
        begin.Success.AddRange(RecordTransactions.Begin(fence).Select(operation => operation.Message));
        var begun = (TxnResponse)Apply(new Command { Txn = begin }).Response!;
        JobCluster.Require(begun.Succeeded, "the mastership was over before its term began");
        records.Begun(begun.Header.Revision);
        foreach (var record in Below(RecordWrite.Prefix).Concat(Below(RecordWrite.NodePrefix)))
        {
            records.Read(record.Key.ToStringUtf8(), record.ModRevision);
        }
        return new Loaded([.. Jobs], [.. Tasks])
        {
            Nodes = [.. Nodes],
            Settings = [.. Followed.SelectMany(Below).Select(v => new SettingValue(v.Key.ToStringUtf8(), v.Value))],
        };
    }

    public IEnumerable<JobRecord> Jobs => Below(RecordWrite.Prefix).Where(v => !IsTask(v))
        .Select(v => JobRecord.Parser.ParseFrom(v.Value));

    public IEnumerable<TaskRecord> Tasks =>
        Below(RecordWrite.Prefix).Where(IsTask).Select(v => TaskRecord.Parser.ParseFrom(v.Value));

    public IEnumerable<NodeRecord> Nodes =>
        Below(RecordWrite.NodePrefix).Select(v => NodeRecord.Parser.ParseFrom(v.Value));

    /// <summary>What every worker is to know in the end.</summary>
    public IReadOnlyDictionary<string, ByteString> Synced => Followed.Append(RecordWrite.NodePrefix).SelectMany(Below)
        .ToDictionary(v => v.Key.ToStringUtf8(), v => v.Value, StringComparer.Ordinal);

    /// <summary>The revision; null: a guard does not hold.</summary>
    public long? Commit(long fence, TxnRequest request, IReadOnlyList<RecordWrite> writes)
    {
        var response = (TxnResponse)Apply(new Command { Txn = request }).Response!;
        if (!response.Succeeded)
        {
            return null;
        }
        Writes++;
        JobCluster.Require(fence == Fence, $"a master with fence {fence} has written under fence {Fence} (I3)");
        foreach (var write in writes.Where(w => w.Value is TaskRecord { CommittedAttempt: > 0 }))
        {
            var attempt = ((TaskRecord)write.Value!).CommittedAttempt;
            JobCluster.Require(
                _commits.TryAdd(write.Key, attempt) || _commits[write.Key] == attempt,
                $"{write.Key} was committed by attempt {_commits[write.Key]}, then by {attempt} (I2)");
        }
        return response.Header.Revision;
    }

    public bool IsCommitted(string jobId, string taskId, uint attempt) =>
        _commits.GetValueOrDefault(RecordWrite.TaskKey(jobId, taskId)) == attempt;

    private Outcome Apply(Command command) => _state.Apply(command, cluster.World.Now, _ => { });

    private IEnumerable<KeyValue> Below(string prefix)
    {
        var (key, end) = KeyBytes.Prefix(prefix);
        return _state.Store.Range(KeyRange.Of(key, end), _state.Store.Revision);
    }

    private static bool IsTask(KeyValue value) =>
        value.Key.ToStringUtf8().AsSpan(RecordWrite.Prefix.Length).Contains('/');
}
