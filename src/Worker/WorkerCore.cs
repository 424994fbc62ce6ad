using Hexcast.Contracts.V1;
using Hexcast.Worker.Attempts;
using Verdict = Hexcast.Contracts.V1.ReportStatusResponse.Types.Verdict;

namespace Hexcast.Worker;

/// <summary>
/// The worker's whole behaviour towards the master, as a state machine without clock, thread or I/O. An attempt goes
///   Waiting → Running → Reporting → (Removing →) forgotten
///                ↘ Stopping ↗
/// and is claimed in every hello until there is a verdict. It outlives the stream: work goes on while the master is
/// away, and reports are repeated until they are answered.
/// </summary>
internal sealed class WorkerCore(string nodeId, int slots)
{
    // The master never gives more than the slots; a few more arrive when it takes a slot for free before we do.
    internal const int WaitingLimitPerSlot = 4;

    // A stream on which no welcome comes leads to no master.
    internal static readonly TimeSpan WelcomeLimit = TimeSpan.FromSeconds(9);

    // In the order of assignment, which is the order of starting.
    private readonly OrderedDictionary<AttemptKey, AttemptState> attempts = [];
    private readonly List<WorkerEffect> effects = [];
    private int session;
    private int streamFailures;
    private DateTimeOffset sessionOpenedAt;
    private StreamState stream;
    private long fence;

    private enum StreamState
    {
        Opening,
        AwaitingWelcome,
        Welcomed,
    }

    private enum Phase
    {
        Waiting,
        Running,
        Stopping,
        Reporting,
        Removing,
    }

    /// <summary>One event in, what follows out, in order.</summary>
    public IReadOnlyList<WorkerEffect> Step(WorkerEvent happened, DateTimeOffset now)
    {
        effects.Clear();
        switch (happened)
        {
            case WorkerEvent.Started:
                OpenNextStream();
                break;
            case WorkerEvent.StreamOpened opened when opened.Session == session:
                sessionOpenedAt = now;
                stream = StreamState.AwaitingWelcome;
                Send(new WorkerMessage { Hello = Hello() });
                break;
            case WorkerEvent.StreamLost lost when lost.Session == session:
                streamFailures++;
                OpenNextStream();
                break;
            case WorkerEvent.Received received when received.Session == session:
                Receive(received.Message);
                break;
            case WorkerEvent.Tick tick:
                OnTick(tick.Load, now);
                break;
            case WorkerEvent.Progressed progress when attempts.TryGetValue(progress.Attempt, out var attempt):
                (attempt.Fraction, attempt.Speed) = (progress.Fraction, progress.Speed);
                break;
            case WorkerEvent.Ended ended when attempts.TryGetValue(ended.Attempt, out var attempt):
                BeginReport(attempt, ended.Outcome);
                StartWaiting();
                break;
            case WorkerEvent.Answered answered when attempts.TryGetValue(answered.Attempt, out var attempt):
                OnVerdict(attempt, answered.Verdict);
                break;
            case WorkerEvent.ReportFailed failed when attempts.TryGetValue(failed.Attempt, out var attempt):
                attempt.ReportFailures++;
                Report(attempt);
                break;
            case WorkerEvent.Removed removed:
                attempts.Remove(removed.Attempt);
                break;
        }

        return [.. effects];
    }

    private void OpenNextStream()
    {
        stream = StreamState.Opening;
        effects.Add(new WorkerEffect.OpenStream(++session, streamFailures));
    }

    private void Receive(MasterMessage message)
    {
        switch (message.MessageCase)
        {
            case MasterMessage.MessageOneofCase.Welcome:
                stream = StreamState.Welcomed;
                streamFailures = 0;
                fence = Math.Max(fence, message.Welcome.Fence);
                break;
            case MasterMessage.MessageOneofCase.Assign:
                Assign(message.Assign);
                break;
            case MasterMessage.MessageOneofCase.Cancel:
                Cancel(AttemptKey.Of(message.Cancel.Attempt));
                break;
        }
    }

    private void Assign(TaskAssignment task)
    {
        fence = Math.Max(fence, task.Fence);
        var attempt = new AttemptState(task);
        if (!attempts.TryAdd(attempt.Key, attempt))
        {
            // Said twice, by the same master or by the next one: it is in hand.
            return;
        }

        if (attempts.Values.Count(a => a.Phase == Phase.Waiting) > slots * WaitingLimitPerSlot)
        {
            BeginReport(attempt, AttemptOutcome.Failed(
                FailureCodes.WorkerOverloaded, $"{nodeId} has {slots} slots and was given too much work."));
            return;
        }

        StartWaiting();
    }

    private void StartWaiting()
    {
        var free = slots - attempts.Values.Count(a => a.Phase is Phase.Running or Phase.Stopping);
        foreach (var attempt in attempts.Values.Where(a => a.Phase == Phase.Waiting).Take(Math.Max(0, free)).ToList())
        {
            attempt.Phase = Phase.Running;
            effects.Add(new WorkerEffect.Start(attempt.Assignment));
        }
    }

    private void Cancel(AttemptKey key)
    {
        if (!attempts.TryGetValue(key, out var attempt))
        {
            return;
        }

        switch (attempt.Phase)
        {
            case Phase.Waiting:
                BeginReport(attempt, AttemptOutcome.Failed(FailureCodes.Cancelled, "Cancelled before it began."));
                break;
            case Phase.Running:
                attempt.Phase = Phase.Stopping;
                effects.Add(new WorkerEffect.Stop(key));
                break;
            default:
                // Once it is being reported the verdict decides: the commit may be durable already.
                break;
        }
    }

    private void BeginReport(AttemptState attempt, AttemptOutcome outcome)
    {
        attempt.Phase = Phase.Reporting;
        attempt.Outcome = outcome;
        Report(attempt);
    }

    private void Report(AttemptState attempt)
    {
        var request = new ReportStatusRequest
        {
            NodeId = nodeId,
            Attempt = attempt.Key.ToRef(),
            // The newest mastership heard of: a new master has adopted the attempt by our hello.
            Fence = Math.Max(fence, attempt.Assignment.Fence),
        };
        if (attempt.Outcome!.Commit is { } commit)
        {
            request.Commit = commit;
        }
        else
        {
            request.Failure = attempt.Outcome.Failure;
        }

        effects.Add(new WorkerEffect.Report(request, attempt.ReportFailures));
    }

    private void OnVerdict(AttemptState attempt, Verdict verdict)
    {
        if (verdict == Verdict.Superseded && attempt.Outcome!.Commit is not null)
        {
            attempt.Phase = Phase.Removing;
            effects.Add(new WorkerEffect.Remove(attempt.Key, attempt.Assignment.Prefix()));
            return;
        }

        attempts.Remove(attempt.Key);
    }

    private void OnTick(NodeLoad load, DateTimeOffset now)
    {
        if (stream == StreamState.AwaitingWelcome && now - sessionOpenedAt >= WelcomeLimit)
        {
            effects.Add(new WorkerEffect.CloseStream(session, "no welcome came"));
        }
        else if (stream == StreamState.Welcomed)
        {
            var heartbeat = new WorkerHeartbeat
            {
                CpuLoad = load.CpuLoad,
                MemoryFreeBytes = load.MemoryFreeBytes,
                MemoryTotalBytes = load.MemoryTotalBytes,
                ScratchFreeBytes = load.ScratchFreeBytes,
            };
            heartbeat.Tasks.AddRange(Claimed.Select(a => new TaskProgress
            {
                Attempt = a.Key.ToRef(), Fraction = a.Fraction, Speed = a.Speed,
            }));
            Send(new WorkerMessage { Heartbeat = heartbeat });
        }
    }

    // The master has said its last word on one that is being removed.
    private IEnumerable<AttemptState> Claimed => attempts.Values.Where(a => a.Phase != Phase.Removing);

    private WorkerHello Hello()
    {
        var hello = new WorkerHello { NodeId = nodeId, Slots = slots };
        hello.Running.AddRange(Claimed.Select(a => a.Key.ToRef()));
        return hello;
    }

    private void Send(WorkerMessage message) => effects.Add(new WorkerEffect.Send(session, message));

    private sealed class AttemptState(TaskAssignment task)
    {
        public AttemptKey Key { get; } = AttemptKey.Of(task.Attempt);
        public TaskAssignment Assignment { get; } = task;
        public Phase Phase { get; set; }
        public double Fraction { get; set; }
        public double Speed { get; set; }

        /// <summary>Set from Reporting on.</summary>
        public AttemptOutcome? Outcome { get; set; }
        public int ReportFailures { get; set; }
    }
}
