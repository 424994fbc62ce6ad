using System.Globalization;
using Hexcast.Contracts.Etcd;
using Hexcast.Contracts.V1;
using EventType = Hexcast.Contracts.Etcd.Event.Types.EventType;

namespace Hexcast.Harness.Faults;

/// <summary>
/// Holds all that is written under the masterships against the invariants, in the order in which the coordinator has
/// it. I3: a term is begun by the mastership that is in force, nothing is written of jobs between one mastership's end
/// and the next one's term, and each record is signed by the mastership in force. I1, I2: what is committed stays so,
/// by the attempt that committed it.
/// </summary>
public sealed class JobHistory(long fence)
{
    public const string ElectionKey = "/hexcast/election/master";
    public const string JobKeys = "/hexcast/jobs/";

    private const string TermKey = "/hexcast/terms/master";
    private const string TasksBelow = "/tasks/";

    private readonly Dictionary<string, TaskRecord> tasks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JobRecord> jobs = new(StringComparer.Ordinal);
    private bool begun = fence > 0;

    /// <summary>Of the mastership in force; 0: nobody has it.</summary>
    public long Fence { get; private set; } = fence;

    /// <summary>How often the mastership changed hands, or was taken anew.</summary>
    public int Changes { get; private set; }

    /// <summary>Attempts that were given up for another one, and where they ran.</summary>
    public List<(string Task, string Node)> Repeated { get; } = [];

    public IEnumerable<TaskRecord> Tasks => tasks.Values;

    public IEnumerable<JobRecord> Jobs => jobs.Values;

    public void Take(Event happened)
    {
        var key = happened.Kv.Key.ToStringUtf8();
        if (key == ElectionKey)
        {
            var next = happened.Type == EventType.Delete ? 0 : happened.Kv.CreateRevision;
            Changes += next > 0 && next != Fence ? 1 : 0;
            begun &= next == Fence;
            Fence = next;
        }
        else if (key == TermKey)
        {
            long.Parse(happened.Kv.Value.ToStringUtf8(), CultureInfo.InvariantCulture).ShouldBe(
                Fence, $"at revision {happened.Kv.ModRevision} another mastership than the one in force began a term");
            begun = true;
        }
        else if (key.StartsWith(JobKeys, StringComparison.Ordinal))
        {
            begun.ShouldBeTrue($"{key} was written at revision {happened.Kv.ModRevision} under no mastership's term");
            TakeRecord(key, happened);
        }
    }

    /// <summary>Holds what the coordinator has now against what was told.</summary>
    public void Check(IEnumerable<KeyValue> present)
    {
        var there = present.ToDictionary(pair => pair.Key.ToStringUtf8(), StringComparer.Ordinal);
        foreach (var (key, told) in tasks.Where(task => task.Value.CommittedAttempt > 0))
        {
            there.ShouldContainKey(key, "a committed task is lost");
            TaskRecord.Parser.ParseFrom(there[key].Value).CommittedAttempt.ShouldBe(told.CommittedAttempt, key);
        }

        jobs.Keys.Where(key => !there.ContainsKey(key)).ShouldBeEmpty("these jobs are lost");
    }

    private void TakeRecord(string key, Event happened)
    {
        var at = $"{key} at revision {happened.Kv.ModRevision}";
        happened.Type.ShouldBe(EventType.Put, $"{at}: nobody asked for a job to be forgotten");
        if (!key.Contains(TasksBelow, StringComparison.Ordinal))
        {
            var job = JobRecord.Parser.ParseFrom(happened.Kv.Value);
            job.Fence.ShouldBe(Fence, $"{at} was written by a mastership that is over");
            jobs[key] = job;
            return;
        }

        var task = TaskRecord.Parser.ParseFrom(happened.Kv.Value);
        task.Fence.ShouldBe(Fence, $"{at} was written by a mastership that is over");
        if (tasks.GetValueOrDefault(key) is { } before)
        {
            task.Attempts.ShouldBeGreaterThanOrEqualTo(before.Attempts, at);
            if (task.Attempts > before.Attempts)
            {
                Repeated.AddRange(before.Open.Select(attempt => (key, attempt.NodeId)));
            }

            if (before.CommittedAttempt > 0)
            {
                task.CommittedAttempt.ShouldBe(before.CommittedAttempt, $"{at}: two commits had effect");
                task.Result.ShouldBe(before.Result, $"{at}: two commits had effect");
            }
        }

        tasks[key] = task;
    }
}
