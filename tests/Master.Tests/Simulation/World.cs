using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;

namespace Hexcast.Master.Tests.Simulation;

/// <summary>
/// A whole cluster in one thread: masters that die and overlap, workers that crash and lose their streams, a disk that
/// is slow at times, a network that loses calls. One seed is one run, event by event. What must never happen is
/// checked where it would happen; what must come true is checked at the end.
/// </summary>
internal sealed class World
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<Action, (DateTimeOffset At, long Order)> agenda = new();
    private readonly Dictionary<string, (byte[] Value, bool IsJob)> disk = new(StringComparer.Ordinal);
    private readonly Dictionary<string, uint> committed = new(StringComparer.Ordinal);
    private long order;
    private long lastNumber;

    public World(int seed)
    {
        Random = new Random(seed);
        Workers = [.. Enumerable.Range(1, 3).Select(i => new SimWorker(this, $"w{i}", Random.Next(1, 4)))];
    }

    public Random Random { get; }

    public DateTimeOffset Now { get; private set; } = Start;

    /// <summary>Calls are lost and outcomes are bad while it is true.</summary>
    public bool Chaos { get; set; } = true;

    public IReadOnlyList<SimWorker> Workers { get; }

    /// <summary>Every master that still believes to be one; the last one is right.</summary>
    public List<SimMaster> Masters { get; } = [];

    /// <summary>Prefixes under which there is an object.</summary>
    public HashSet<string> Objects { get; } = new(StringComparer.Ordinal);

    public long Fence { get; private set; }

    public IEnumerable<JobRecord> Jobs =>
        disk.Values.Where(d => d.IsJob).Select(d => JobRecord.Parser.ParseFrom(d.Value));

    public IEnumerable<TaskRecord> Tasks =>
        disk.Values.Where(d => !d.IsJob).Select(d => TaskRecord.Parser.ParseFrom(d.Value));

    public long Number() => ++lastNumber;

    public bool Roll(double probability) => Random.NextDouble() < probability;

    public TimeSpan Between(double fromMs, double toMs) =>
        TimeSpan.FromMilliseconds(fromMs + (Random.NextDouble() * (toMs - fromMs)));

    public void After(TimeSpan delay, Action action) => agenda.Enqueue(action, (Now + delay, ++order));

    public void RunUntil(DateTimeOffset until, Func<bool>? condition = null)
    {
        while (agenda.TryPeek(out var action, out var due) && due.At <= until && condition?.Invoke() != true)
        {
            agenda.Dequeue();
            Now = due.At;
            action();
        }
    }

    /// <summary>Another master is elected; those before it do not know yet.</summary>
    public void Elect()
    {
        Fence++;
        var master = new SimMaster(this, Fence);
        Masters.Add(master);
        master.Begin(new Loaded([.. Jobs], [.. Tasks]));
    }

    public SimMaster? AnyMaster() => Masters.Count == 0 ? null
        : Chaos && Roll(0.2) ? Masters[Random.Next(Masters.Count)] : Masters[^1];

    public bool Commit(long fence, IReadOnlyList<RecordWrite> writes)
    {
        writes.Count.ShouldBeLessThanOrEqualTo(100);
        if (fence != Fence)
        {
            return false;
        }

        foreach (var write in writes)
        {
            if (write.Value is null)
            {
                disk.Remove(write.Key);
                continue;
            }

            disk[write.Key] = (write.Value.ToByteArray(), write.Value is JobRecord);
            if (write.Value is TaskRecord { CommittedAttempt: > 0 } task)
            {
                // I2: the first commit stands for ever.
                var first = committed.TryAdd(write.Key, task.CommittedAttempt);
                (first || committed[write.Key] == task.CommittedAttempt).ShouldBeTrue($"{write.Key} committed twice");
            }
        }

        return true;
    }

    public bool IsCommitted(AttemptKey key) =>
        committed.GetValueOrDefault(RecordWrite.TaskKey(key.JobId, key.TaskId)) == key.Attempt;

    public void Forget(string jobId)
    {
        foreach (var key in committed.Keys.Where(k => k.Contains($"/{jobId}/", StringComparison.Ordinal)).ToList())
        {
            committed.Remove(key);
        }
    }

    /// <summary>
    /// A call to whichever master is thought to be the right one, repeated until it is answered. Calls and answers get
    /// lost, so the master may hear it twice.
    /// </summary>
    public void Call(Func<long, SchedulerEvent> ask, Func<bool> stillWanted, Action<IMessage?, string?> answered)
    {
        var done = false;
        Try();

        void Try()
        {
            if (done || !stillWanted())
            {
                return;
            }

            if (AnyMaster() is { } master && !(Chaos && Roll(0.1)))
            {
                After(Between(0, 20), () => master.Ask(ask, (message, refusal) =>
                {
                    if (!(Chaos && Roll(0.1)))
                    {
                        After(Between(0, 20), () => Take(message, refusal));
                    }
                }));
            }

            After(Between(500, 2_000), Try);
        }

        void Take(IMessage? message, string? refusal)
        {
            if (!done && stillWanted() && refusal != "unavailable")
            {
                done = true;
                answered(message, refusal);
            }
        }
    }
}
