using System.Globalization;
using Hexcast.Contracts.V1;
using Hexcast.Worker.Attempts;
using Verdict = Hexcast.Contracts.V1.ReportStatusResponse.Types.Verdict;

namespace Hexcast.Worker;

/// <summary>
/// The worker's whole behaviour towards the master, as a state machine without clock, thread or I/O. An attempt goes
///   Waiting → Running → Reporting → (Removing →) forgotten
///                ↘ Stopping ↗
/// and is claimed in every hello until there is a verdict. It outlives the stream: work goes on while the master is
/// away, and reports are repeated until they are answered. At the master's word another stream takes the place of this
/// one; until it is welcomed both stand.
/// </summary>
internal sealed class WorkerCore(WorkerProfile profile)
{
    /// <summary>Overrides a node's slots while it is there: a number.</summary>
    public const string SlotsSetting = "/hexcast/settings/slots/";


    // The master never gives more than the slots; a few more arrive when it takes a slot for free before we do.
    internal const int WaitingLimitPerSlot = 4;

    // A stream on which no welcome comes leads to no master.
    internal static readonly TimeSpan WelcomeLimit = TimeSpan.FromSeconds(9);

    // In the order of assignment, which is the order of starting.
    private readonly OrderedDictionary<AttemptKey, AttemptState> attempts = [];
    private readonly List<WorkerEffect> effects = [];
    private readonly SyncedKeys synced = new();
    private StreamState stream = new(0);

    // Opened to take the place of the other.
    private StreamState? successor;
    private int lastSession;
    private int streamFailures;
    private int slots = profile.Slots;
    private long fence;
    private bool draining;
    private bool leaving;
    private bool left;
    private NodeLoad lastLoad;

    private enum Phase
    {
        Waiting,
        Running,
        Stopping,
        Reporting,
        Removing,
    }

    public SyncedKeys Synced => synced;

    /// <summary>One event in, what follows out, in order.</summary>
    public IReadOnlyList<WorkerEffect> Step(WorkerEvent happened, DateTimeOffset now)
    {
        effects.Clear();
        switch (happened)
        {
            case WorkerEvent.Started:
                stream = OpenStream();
                break;
            case WorkerEvent.StreamOpened opened when Find(opened.Session) is { } begun:
                begun.OpenedAt = now;
                effects.Add(new WorkerEffect.Send(begun.Session, new WorkerMessage { Hello = Hello() }));
                break;
            case WorkerEvent.StreamLost lost when Find(lost.Session) is { } broken:
                OnLost(broken);
                break;
            case WorkerEvent.Received received when Find(received.Session) is { IsRefused: false } from:
                Receive(from, received.Message);
                break;
            case WorkerEvent.Leave:
                Leave();
                break;
            case WorkerEvent.LeaveNow when leaving:
                HandBackRunning();
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
                OnNoAnswer(attempt);
                break;
            case WorkerEvent.Removed removed:
                attempts.Remove(removed.Attempt);
                break;
        }

        if (leaving && !left && attempts.Count == 0)
        {
            left = true;
            effects.Add(new WorkerEffect.Left());
        }

        return [.. effects];
    }

    private StreamState? Find(int session) =>
        stream.Session == session ? stream : successor?.Session == session ? successor : null;

    private StreamState OpenStream()
    {
        effects.Add(new WorkerEffect.OpenStream(++lastSession, streamFailures));
        return new StreamState(lastSession);
    }

    private void OnLost(StreamState broken)
    {
        if (broken == stream && successor is not null)
        {
            (stream, successor) = (successor, null);
            return;
        }

        streamFailures++;
        if (broken == stream)
        {
            stream = OpenStream();
        }
        else
        {
            successor = OpenStream();
        }
    }

    private void OnWelcome(StreamState welcomed, MasterWelcome welcome)
    {
        if (welcome.Fence < fence)
        {
            // It does not know yet that another has taken over, and what it says of our attempts is of no worth.
            welcomed.IsRefused = true;
            effects.Add(new WorkerEffect.CloseStream(
                welcomed.Session, $"that master was replaced: its fence {welcome.Fence} is older than {fence}"));
            return;
        }

        welcomed.Welcomed = true;
        streamFailures = 0;
        fence = Math.Max(fence, welcome.Fence);
        synced.Begin();
        // Whoever welcomes says so again: the word that ended it may have been on a stream that broke.
        var forgets = true;
        Planted.Bend(WorkerFault.DrainOutlivesItsStream, ref forgets, to: false);
        draining &= !forgets;
        if (welcomed == successor)
        {
            effects.Add(new WorkerEffect.CloseStream(stream.Session, "another has taken its place"));
            (stream, successor) = (successor, null);
        }
    }

    private void Receive(StreamState from, MasterMessage message)
    {
        switch (message.MessageCase)
        {
            case MasterMessage.MessageOneofCase.Welcome:
                OnWelcome(from, message.Welcome);
                break;
            case MasterMessage.MessageOneofCase.Reconnect when from == stream:
                successor ??= OpenStream();
                break;
            case MasterMessage.MessageOneofCase.Drain:
                draining = message.Drain.Draining;
                HandBackWaiting();
                break;
            case MasterMessage.MessageOneofCase.Snapshot when from == stream:
                synced.Take(message.Snapshot);
                FollowSettings();
                break;
            case MasterMessage.MessageOneofCase.Sync when from == stream:
                if (synced.Take(message.Sync))
                {
                    FollowSettings();
                }
                else
                {
                    effects.Add(new WorkerEffect.CloseStream(from.Session, "events of the master are missing"));
                }

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

        if (draining || leaving)
        {
            // It was sent before the master knew.
            HandBack(attempt);
            return;
        }

        if (attempts.Values.Count(a => a.Phase == Phase.Waiting) > slots * WaitingLimitPerSlot)
        {
            BeginReport(attempt, AttemptOutcome.Failed(
                FailureCodes.WorkerOverloaded, $"{profile.NodeId} has {slots} slots and was given too much work."));
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

    // Without a master there is nobody to hand anything back to: it learns of the end by the stream's.
    private void Leave()
    {
        leaving = true;
        if (!stream.Welcomed)
        {
            left = true;
            effects.Add(new WorkerEffect.Left());
            return;
        }

        Beat(lastLoad);
        HandBackWaiting();
    }

    private void HandBackWaiting()
    {
        foreach (var attempt in attempts.Values.Where(a => (draining || leaving) && a.Phase == Phase.Waiting).ToList())
        {
            HandBack(attempt);
        }
    }

    private void HandBackRunning()
    {
        foreach (var attempt in attempts.Values.Where(a => a.Phase == Phase.Running))
        {
            attempt.Phase = Phase.Stopping;
            attempt.HandedBack = true;
            effects.Add(new WorkerEffect.Stop(attempt.Key));
        }
    }

    private void HandBack(AttemptState attempt) => BeginReport(
        attempt, AttemptOutcome.Failed(FailureCodes.HandedBack, $"{profile.NodeId} goes out of use."));

    private void FollowSettings()
    {
        var set = synced.Find(SlotsSetting + profile.NodeId)?.ToStringUtf8();
        var offered = int.TryParse(set, NumberStyles.None, CultureInfo.InvariantCulture, out var number) &&
            number is > 0 and <= WorkerProfile.SlotLimit ? number : profile.Slots;
        if (offered != slots)
        {
            slots = offered;
            Beat(lastLoad);
            StartWaiting();
        }
    }

    private void BeginReport(AttemptState attempt, AttemptOutcome outcome)
    {
        attempt.Phase = Phase.Reporting;
        attempt.Outcome = attempt.HandedBack && outcome.Failure?.Code == FailureCodes.Cancelled
            ? AttemptOutcome.Failed(FailureCodes.HandedBack, $"{profile.NodeId} goes out of use.")
            : outcome;
        Report(attempt);
    }

    private void Report(AttemptState attempt)
    {
        var request = new ReportStatusRequest
        {
            NodeId = profile.NodeId,
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

    // The master may have taken the report all the same: only its word ends the attempt.
    private void OnNoAnswer(AttemptState attempt)
    {
        var (givesUp, deletes) = (false, false);
        Planted.Bend(WorkerFault.ReportGivenUp, ref givesUp, to: true);
        Planted.Bend(WorkerFault.CommitDeletedWithoutAVerdict, ref deletes, to: true);
        if (givesUp)
        {
            attempts.Remove(attempt.Key);
        }
        else if (deletes)
        {
            OnVerdict(attempt, Verdict.Superseded);
        }
        else
        {
            attempt.ReportFailures++;
            Report(attempt);
        }
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
        lastLoad = load;
        foreach (var unanswered in ((StreamState?[])[stream, successor])
            .Where(s => s?.IsUnanswered(now, WelcomeLimit) == true))
        {
            effects.Add(new WorkerEffect.CloseStream(unanswered!.Session, "no welcome came"));
        }

        if (stream.Welcomed)
        {
            Beat(load);
        }
    }

    private void Beat(NodeLoad load)
    {
        var heartbeat = new WorkerHeartbeat
        {
            CpuLoad = load.CpuLoad,
            MemoryFreeBytes = load.MemoryFreeBytes,
            MemoryTotalBytes = load.MemoryTotalBytes,
            ScratchFreeBytes = load.ScratchFreeBytes,
            Leaving = leaving,
            Slots = slots,
        };
        heartbeat.Tasks.AddRange(Claimed.Select(a => new TaskProgress
        {
            Attempt = a.Key.ToRef(), Fraction = a.Fraction, Speed = a.Speed,
        }));
        effects.Add(new WorkerEffect.Send(stream.Session, new WorkerMessage { Heartbeat = heartbeat }));
    }

    // The master has said its last word on one that is being removed.
    private IEnumerable<AttemptState> Claimed => attempts.Values.Where(a => a.Phase != Phase.Removing);

    private WorkerHello Hello()
    {
        var hello = new WorkerHello
        {
            NodeId = profile.NodeId,
            Slots = slots,
            Synced = synced.Position?.Clone(),
            Labels = profile.Labels,
            Leaving = leaving,
        };
        var claimsAll = true;
        Planted.Bend(WorkerFault.UnreportedNotClaimed, ref claimsAll, to: false);
        hello.Running.AddRange(Claimed.Where(a => claimsAll || a.Phase != Phase.Reporting).Select(a => a.Key.ToRef()));
        return hello;
    }

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

        /// <summary>Stopped because this node goes out of use, not because nobody wants it any more.</summary>
        public bool HandedBack { get; set; }
    }
}
