using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Master.Scheduling;

namespace Hexcast.Master.Storage;

/// <summary>
/// The records as keys of the coordinator. Each transaction compares the election key's create revision, so that the
/// store itself rejects a master that was replaced (I3), and each record's own revision, so that a write that was lost
/// on the way and arrives late changes nothing.
/// </summary>
internal sealed class CoordinatorJobStore(CoordinatorClient coordinator) : IJobStore
{
    private readonly Dictionary<string, long> revisions = new(StringComparer.Ordinal);

    public async Task<Loaded> LoadAsync(CancellationToken cancel)
    {
        revisions.Clear();
        var jobs = new List<JobRecord>();
        var tasks = new List<TaskRecord>();
        foreach (var record in (await coordinator.RangeAsync(RecordWrite.Prefix, cancel)).KeyValues)
        {
            revisions[record.Key] = record.ModRevision;
            if (record.Key.AsSpan(RecordWrite.Prefix.Length).Contains('/'))
            {
                tasks.Add(TaskRecord.Parser.ParseFrom(record.Value));
            }
            else
            {
                jobs.Add(JobRecord.Parser.ParseFrom(record.Value));
            }
        }

        return new Loaded(jobs, tasks);
    }

    public async Task<bool> CommitAsync(long fence, IReadOnlyList<RecordWrite> writes, CancellationToken cancel)
    {
        var guards = writes
            .Select(w => Compare.ModRevision(w.Key).EqualTo(revisions.GetValueOrDefault(w.Key)))
            .Prepend(Compare.CreateRevision(CoordinatorClient.ElectionKey).EqualTo(fence));
        var operations = writes.Select(w =>
            w.Value is null ? Operation.Delete(w.Key) : Operation.Put(w.Key, w.Value.ToByteString()));
        var result = await coordinator.TxnAsync(guards, operations, cancel);
        if (!result.Succeeded)
        {
            return false;
        }

        foreach (var write in writes)
        {
            if (write.Value is null)
            {
                revisions.Remove(write.Key);
            }
            else
            {
                revisions[write.Key] = result.Revision;
            }
        }

        return true;
    }
}
