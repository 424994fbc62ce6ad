using System.Text;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;

namespace Hexcast.Master.Tests.Support;

/// <summary>
/// A scheduler core on a stage: a clock that stands still until told, a disk that is a dictionary, and a record of what
/// was said and what came of it, as a person would tell it.
/// </summary>
internal sealed class Stage
{
    public const string Media = "01jdf3k5v8e9x2m4n6p8q0r2s4";
    public const string Preset = "ladder_h264_aac";

    private readonly Dictionary<string, IMessage> disk = new(StringComparer.Ordinal);
    private readonly HashSet<string> sweeps = new(StringComparer.Ordinal);
    private readonly StringBuilder script = new();
    private readonly DateTimeOffset start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly MasterOptions options;
    private SchedulerCore core;
    private long fence = 7;
    private long lastNumber;

    public Stage(MasterOptions? options = null)
    {
        this.options = options ?? new MasterOptions();
        (Now, core) = (start, new SchedulerCore(this.options, fence));
        Step("a master starts", new Loaded([], []) { TermRevision = fence });
    }

    public DateTimeOffset Now { get; private set; }

    public SchedulerCore Core => core;

    public string Script => script.ToString();

    public List<(long Session, MasterMessage Message)> Sent { get; } = [];

    public List<(long Request, IMessage? Answer, string? Refusal)> Answers { get; } = [];

    public List<JobEvent> Fed { get; } = [];

    /// <summary>Workers that were given up, as it is measured.</summary>
    public List<string> GivenUp { get; } = [];

    public IReadOnlyDictionary<string, IMessage> Disk => disk;

    public void Pass(double seconds)
    {
        var until = Now + TimeSpan.FromSeconds(seconds);
        while (core.NextWake is { } wake && wake <= until)
        {
            Now = wake > Now ? wake : Now;
            Step("time passes", new Ticked());
        }

        Now = until;
    }

    public string Order(string job = "j1", string media = Media, string jobClass = "hd", string preset = Preset)
    {
        var request = Number();
        Step($"order {media[^4..]} {preset} {jobClass}", new TranscodeOrdered(request, job, new TranscodeRequest
        {
            MediaId = media, PresetName = preset, Class = jobClass, SourceKey = $"sources/{media}",
        }));
        return Answer(request) is TranscodeResponse response ? response.JobId : "";
    }

    public long Join(string node, int slots, params string[] running) =>
        Join(new WorkerHello { NodeId = node, Slots = slots }, running);

    public long Join(WorkerHello hello, params string[] running)
    {
        var session = Number();
        hello.Running.Add(running.Select(Attempt));
        Step(
            $"{hello.NodeId} joins with {hello.Slots} slots, running [{string.Join(' ', running)}]",
            new WorkerJoined(session, hello));
        return session;
    }

    /// <summary>The name of the answer, or the code of a refusal.</summary>
    public string Drain(string node, bool undo = false, int handBackAfterSeconds = 0) => Ask(
        $"{(undo ? "undrain" : "drain")} {node}",
        request => new DrainOrdered(request, new DrainRequest
        {
            NodeId = node, Undo = undo, HandBackAfterSeconds = handBackAfterSeconds,
        }));

    public void Set(params IReadOnlyList<(string Key, string? Value)> settings) => Step(
        $"settings change: {string.Join(' ', settings.Select(s => s.Key))}",
        new SettingsChanged(null, [.. settings.Select(s =>
            new SettingValue(s.Key, s.Value is null ? null : ByteString.CopyFromUtf8(s.Value)))]));

    public void Leave(long session) => Step($"stream {session} breaks", new WorkerLeft(session));

    public void Heartbeat(long session, params string[] running)
    {
        var heartbeat = new WorkerHeartbeat();
        heartbeat.Tasks.Add(running.Select(r => new TaskProgress { Attempt = Attempt(r), Fraction = 0.5, Speed = 2 }));
        Step($"heartbeat on {session}: [{string.Join(' ', running)}]", new WorkerHeard(session, heartbeat));
    }

    /// <summary>The verdict: ACCEPTED, SUPERSEDED, or the code of a refusal.</summary>
    public string Commit(
        string node, string attempt, PlanSummary? plan = null, long? heardFence = null, double wallSeconds = 1)
    {
        var report = Report(node, attempt, heardFence);
        var taskId = report.Attempt.TaskId;
        report.Commit = new TaskCommit { Plan = plan, MediaSeconds = 4, WallSeconds = wallSeconds };
        if (taskId != JobGraph.PublishId)
        {
            report.Commit.Result = new ObjectRef { Key = $"{taskId}-{report.Attempt.Attempt}/index.json", Length = 9 };
        }

        return Tell($"{node} commits {attempt}", report);
    }

    public string Fail(
        string node, string attempt, string code = "tool_failed", bool permanent = false,
        string words = "in the worker's words")
    {
        var report = Report(node, attempt, null);
        report.Failure = new TaskFailure { Code = code, Message = words, LogTail = words, Permanent = permanent };
        return Tell($"{node} fails {attempt}: {code}", report);
    }

    public string Ask(string words, Func<long, SchedulerEvent> ask)
    {
        var request = Number();
        Step(words, ask(request));
        var answer = Answers.LastOrDefault(a => a.Request == request);
        return answer.Refusal ?? answer.Answer?.Descriptor.Name ?? "";
    }

    public long Watch(string job, long after = 0, bool follow = true)
    {
        var subscription = Number();
        Step($"watch {job} after {after}", new WatchOpened(
            subscription, new WatchJobRequest { JobId = job, AfterRevision = after, Follow = follow }));
        return subscription;
    }

    public void Sweep(string job)
    {
        sweeps.Remove(job).ShouldBeTrue($"nothing of {job} is to be swept");
        Step($"objects of {job} are swept", new Swept(job));
    }

    /// <summary>The process dies, and another starts from what is on the disk.</summary>
    public void Restart()
    {
        core = new SchedulerCore(options, ++fence);
        sweeps.Clear();
        Step("the master dies; another starts", new Loaded(
            [.. disk.Values.OfType<JobRecord>().Select(r => r.Clone())],
            [.. disk.Values.OfType<TaskRecord>().Select(r => r.Clone())])
        {
            TermRevision = fence,
            Nodes = [.. disk.Values.OfType<NodeRecord>().Select(r => r.Clone())],
        });
    }

    public Job Job(string job) => Ask<Job>(request => new JobAsked(request, job));

    /// <summary>Looks, and is not part of the story.</summary>
    public TAnswer Ask<TAnswer>(Func<long, SchedulerEvent> ask) where TAnswer : IMessage =>
        (TAnswer)core.Step(ask(Number()), Now).OfType<Answer>().Single().Message;

    public void Tell(long session, WorkerHeartbeat heartbeat) =>
        Step($"heartbeat on {session}", new WorkerHeard(session, heartbeat));

    /// <summary>Attempts that were handed out so far, in order.</summary>
    public IEnumerable<string> Assigned => Sent.Where(s => s.Message.Assign is not null)
        .Select(s => Words(s.Message.Assign.Attempt));

    public IEnumerable<string> Cancelled => Sent.Where(s => s.Message.Cancel is not null)
        .Select(s => Words(s.Message.Cancel.Attempt));

    public static PlanSummary Plan(int chunks, bool audio = true, bool storyboard = false, int subtitles = 0)
    {
        var plan = new PlanSummary
        {
            HasAudio = audio, DurationSeconds = 4 * chunks, Storyboard = storyboard, SubtitleStreams = subtitles,
        };
        plan.ChunkSeconds.Add(Enumerable.Repeat(4.0, chunks));
        return plan;
    }

    private IMessage? Answer(long request) => Answers.LastOrDefault(a => a.Request == request).Answer;

    private string Tell(string words, ReportStatusRequest report)
    {
        var request = Number();
        Step(words, new AttemptReported(request, report));
        var answer = Answers.LastOrDefault(a => a.Request == request);
        return answer.Refusal ?? ((ReportStatusResponse)answer.Answer!).Verdict.ToString().ToUpperInvariant();
    }

    private ReportStatusRequest Report(string node, string attempt, long? heardFence) =>
        new() { NodeId = node, Attempt = Attempt(attempt), Fence = heardFence ?? fence };

    private long Number() => ++lastNumber;

    private void Step(string words, SchedulerEvent happened)
    {
        script.Append($"{(Now - start).TotalSeconds,6:0.000}  {words}").Append('\n');
        foreach (var effect in core.Step(happened, Now))
        {
            Record(effect);
        }
    }

    private void Record(SchedulerEffect effect)
    {
        if (effect is Measure)
        {
            GivenUp.AddRange(effect is WorkerGivenUp lost ? [lost.NodeId] : []);
            return;
        }

        var line = effect switch
        {
            Persist { Writes.Count: 0 } => "confirm the mastership",
            Persist persist => $"persist {string.Join(" + ", persist.Writes.Select(Describe))}",
            Answer answer => $"answer {Describe(answer.Message)}",
            Refuse refuse => $"refuse {refuse.Code}: {refuse.Words}",
            Send send => $"send {send.Session}: {Describe(send.Message)}",
            DropWorker drop => $"drop {drop.Session}: {drop.Reason}",
            Feed feed => $"feed {feed.Subscription}: {string.Join(" | ", feed.Events.Select(Describe))}",
            EndFeed end => $"end feed {end.Subscription} {end.Code}",
            Sweep sweep => $"sweep {sweep.JobId}: {string.Join(' ', sweep.Prefixes.Select(p => p.Split('/')[^2]))}",
            Note note => $"note {note.Words}",
            _ => effect.ToString()!,
        };
        script.Append($"          {line.TrimEnd()}").Append('\n');
        switch (effect)
        {
            case Persist persist:
                foreach (var write in persist.Writes)
                {
                    Write(write);
                }

                break;
            case Answer answer:
                Answers.Add((answer.Request, answer.Message, null));
                break;
            case Refuse refuse:
                Answers.Add((refuse.Request, null, refuse.Code));
                break;
            case Send send:
                Sent.Add((send.Session, send.Message));
                break;
            case Sweep sweep:
                sweeps.Add(sweep.JobId);
                break;
            case Feed feed:
                Fed.AddRange(feed.Events);
                break;
        }
    }

    private void Write(RecordWrite write)
    {
        if (write.Value is null)
        {
            disk.Remove(write.Key);
        }
        else
        {
            disk[write.Key] = write.Value;
        }
    }

    private static string Describe(RecordWrite write) => write.Value switch
    {
        null => $"delete {write.Key["/hexcast/".Length..]}",
        JobRecord job => $"job {job.JobId} {job.State}{(job.Ending is null ? "" : $" ending {job.Ending.State}")}",
        TaskRecord task => $"task {task.TaskId} attempts={task.Attempts}" +
            $" open=[{string.Join(' ', task.Open.Select(Describe))}]" +
            (task.Failures > 0 ? $" failures={task.Failures}" : "") +
            (task.Losses > 0 ? $" losses={task.Losses}" : "") +
            (task.CommittedAttempt > 0 ? $" committed={task.CommittedAttempt} revision={task.CommittedRevision}" : ""),
        NodeRecord node => $"node {node.NodeId} drained",
        _ => write.Key,
    };

    private static string Describe(OpenAttempt open) =>
        $"{open.Attempt}@{open.NodeId}{(open.Superseded ? "!" : "")}{(open.LostAtUnixMs > 0 ? "?" : "")}";

    private static string Describe(IMessage message) => message switch
    {
        ReportStatusResponse report => report.Verdict.ToString(),
        TranscodeResponse transcode => $"job {transcode.JobId}",
        _ => message.Descriptor.Name,
    };

    private static string Describe(MasterMessage message) => message.MessageCase switch
    {
        MasterMessage.MessageOneofCase.Welcome => $"welcome, fence {message.Welcome.Fence}",
        MasterMessage.MessageOneofCase.Assign => $"assign {Words(message.Assign.Attempt)} {message.Assign.Class}",
        MasterMessage.MessageOneofCase.Cancel => $"cancel {Words(message.Cancel.Attempt)}: {message.Cancel.Reason}",
        MasterMessage.MessageOneofCase.Reconnect => "reconnect",
        MasterMessage.MessageOneofCase.Drain => message.Drain.Draining ? "drain" : "in use again",
        MasterMessage.MessageOneofCase.Sync =>
            $"sync {message.Sync.Seq} {message.Sync.Key}{(message.Sync.Deleted ? " deleted" : "")}",
        _ => $"snapshot {message.Snapshot.Seq} with {message.Snapshot.Entries.Count} keys",
    };

    private static string Describe(JobEvent message) => message.EventCase switch
    {
        JobEvent.EventOneofCase.Planned => $"{message.Revision} planned",
        JobEvent.EventOneofCase.Committed => $"{message.Revision} committed {message.Committed.TaskId}",
        JobEvent.EventOneofCase.Ended => $"{message.Revision} ended {message.Ended.State}",
        JobEvent.EventOneofCase.Restarted => $"{message.Revision} restarted",
        _ => $"progress {string.Join(' ', message.Progress.Tasks.Select(t => $"{t.TaskId}={t.State}"))}",
    };

    private static string Words(AttemptRef attempt) => AttemptKey.Of(attempt).ToString();

    private static AttemptRef Attempt(string words)
    {
        var parts = words.Split('/', '#');
        return new AttemptRef { JobId = parts[0], TaskId = parts[1], Attempt = uint.Parse(parts[2]) };
    }
}
