using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Master.Scheduling;
using Hexcast.Simulation.Coordinators;

namespace Hexcast.Simulation.Jobs;

/// <summary>
/// What the coordinators' log says of jobs, as soon as the first of them has applied it: the first commit of a task
/// stands (I2), and nobody writes under another fence than the last one given (I3).
/// </summary>
internal sealed class JobLedger
{
    private const string SettingPrefix = "/hexcast/settings/";
    private const string RulePrefix = "/hexcast/rules/";

    private readonly GroupOracle _oracle;
    private readonly Dictionary<string, uint> _commits = new(StringComparer.Ordinal);
    private readonly Dictionary<ByteString, (long Fence, long Term)> _sent = [];
    private readonly SortedDictionary<string, JobRecord> _jobs = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, TaskRecord> _tasks = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, ByteString> _synced = new(StringComparer.Ordinal);

    private readonly Dictionary<string, long> _syncedAt = new(StringComparer.Ordinal);

    // Revision at which the last term of a master began.
    private long _term;

    public JobLedger(GroupOracle oracle)
    {
        _oracle = oracle;
        oracle.Committed = Committed;
    }

    /// <summary>What workers follow, in the master's order; and the nodes, which it writes itself.</summary>
    public static IReadOnlyList<string> Followed { get; } = [SettingPrefix, RulePrefix];

    public int Writes { get; private set; }

    public IReadOnlyCollection<JobRecord> Jobs => _jobs.Values;

    public IReadOnlyCollection<TaskRecord> Tasks => _tasks.Values;

    /// <summary>What every worker is to know in the end.</summary>
    public IReadOnlyDictionary<string, ByteString> Synced => _synced;

    public long Revision => _oracle.Model.Revision;

    /// <summary>Whether it was written after that revision, whatever came of it then.</summary>
    public bool WasSynced(string key, long after) => _syncedAt.GetValueOrDefault(key) > after;

    public JobRecord? Find(string? jobId) =>
        jobId is null ? null : _jobs.GetValueOrDefault(RecordWrite.JobKey(jobId));

    public bool IsCommitted(string jobId, string taskId, uint attempt) =>
        _commits.GetValueOrDefault(RecordWrite.TaskKey(jobId, taskId)) == attempt;

    /// <summary>A master has asked for this, in the term that began at that revision; 0: it begins one.</summary>
    public void Sent(Command command, long fence, long term) => _sent.TryAdd(command.ToByteString(), (fence, term));

    private void Committed(Command command, ModelOutcome outcome)
    {
        switch (command.KindCase)
        {
            case Command.KindOneofCase.Put:
                Put(command.Put);
                break;
            case Command.KindOneofCase.DeleteRange:
                Delete(command.DeleteRange.Key.ToStringUtf8());
                break;
            case Command.KindOneofCase.Txn when outcome.Told.StartsWith("then", StringComparison.Ordinal):
                Committed(command);
                break;
        }
    }

    private void Committed(Command command)
    {
        if (_sent.TryGetValue(command.ToByteString(), out var sent))
        {
            Writes++;
            var (fence, term) = sent;
            JobCluster.Require(
                term == 0 || term == _term, $"a write of the term {term} got through in that of {_term} (I3)");
            _term = term == 0 ? _oracle.Model.Revision : _term;
            var last = _oracle.Model.At(GroupOracle.ElectionKey, _oracle.Model.Revision)?.Created ?? 0;
            JobCluster.Require(fence == last, $"a master with fence {fence} has written under fence {last} (I3)");
        }
        foreach (var operation in command.Txn.Success)
        {
            if (operation.RequestPut is { } put)
            {
                Put(put);
            }
            else
            {
                Delete(operation.RequestDeleteRange.Key.ToStringUtf8());
            }
        }
    }

    private void Put(PutRequest put)
    {
        var key = put.Key.ToStringUtf8();
        if (IsTask(key))
        {
            var task = _tasks[key] = TaskRecord.Parser.ParseFrom(put.Value);
            var attempt = task.CommittedAttempt;
            JobCluster.Require(
                !_commits.TryGetValue(key, out var first) || first == attempt,
                $"{key} was committed by attempt {first}, then by {attempt} (I2)");
            if (attempt > 0)
            {
                _commits[key] = attempt;
            }
        }
        else if (key.StartsWith(RecordWrite.Prefix, StringComparison.Ordinal))
        {
            _jobs[key] = JobRecord.Parser.ParseFrom(put.Value);
        }
        else if (Followed.Append(RecordWrite.NodePrefix).Any(p => key.StartsWith(p, StringComparison.Ordinal)))
        {
            _synced[key] = put.Value;
            _syncedAt[key] = Revision;
        }
    }

    private void Delete(string key)
    {
        _jobs.Remove(key);
        _tasks.Remove(key);
        _commits.Remove(key);
        _synced.Remove(key);
    }

    private static bool IsTask(string key) => key.StartsWith(RecordWrite.Prefix, StringComparison.Ordinal)
        && key.AsSpan(RecordWrite.Prefix.Length).Contains('/');
}
