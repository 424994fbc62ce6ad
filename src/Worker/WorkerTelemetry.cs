using System.Diagnostics;
using System.Diagnostics.Metrics;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Telemetry;
using Hexcast.Worker.Tools;

namespace Hexcast.Worker;

/// <summary>
/// Spans: task {kind}, one an attempt, under the job; below it a span for each run of a tool, with its exit code.
/// </summary>
internal static class WorkerTelemetry
{
    private const string Committed = "committed";

    private static readonly ActivitySource Source = new("Hexcast.Worker");
    private static readonly Meter Meter = new("Hexcast.Worker");

    private static readonly UpDownCounter<long> Slots = Meter.CreateUpDownCounter<long>(
        "worker.slots", "{slot}", "Tasks that this node runs at once");

    private static readonly UpDownCounter<long> Busy = Meter.CreateUpDownCounter<long>(
        "worker.slots.busy", "{slot}", "Attempts that run now");

    private static readonly Histogram<double> TaskSeconds = Meter.CreateHistogram(
        "task.duration", "s", "How long attempts took, by kind and outcome", tags: null, Buckets.Long);

    private static readonly Histogram<double> TaskSpeed = Meter.CreateHistogram(
        "task.speed", "{x}", "Media seconds encoded a wall second, of committed attempts", tags: null, Buckets.Speed);

    private static readonly Histogram<double> ToolSeconds = Meter.CreateHistogram(
        "tool.duration", "s", "How long runs of ffmpeg and ffprobe took", tags: null, Buckets.Long);

    private static readonly Counter<double> ToolCpu = Meter.CreateCounter<double>(
        "tool.cpu", "s", "Processor time of tools that ran to their end, by the kind of their task");

    private static readonly Gauge<double> CpuLoad = Meter.CreateGauge<double>(
        "worker.cpu.load", "{load}", "This machine's load average over a minute");

    private static readonly Gauge<long> MemoryFree = Meter.CreateGauge<long>(
        "worker.memory.free", "By", "Memory that is free on this machine");

    private static readonly Gauge<long> ScratchFree = Meter.CreateGauge<long>(
        "worker.scratch.free", "By", "Free on the disk of the scratch folder");

    public static void Offer(int slots) => Slots.Add(slots);

    public static void Note(NodeLoad load)
    {
        CpuLoad.Record(load.CpuLoad);
        MemoryFree.Record(load.MemoryFreeBytes);
        ScratchFree.Record(load.ScratchFreeBytes);
    }

    public static AttemptSpan Begin(TaskAssignment task, string nodeId, TimeProvider clock) => new(task, nodeId, clock);

    public static ToolSpan Tool(ToolCommand tool, TimeProvider clock) => new(tool.Program, tool.Kind, clock);

    // "encode_chunk", as the oneof's cases are named.
    public static string Kind(TaskAssignment task) => task.WorkCase switch
    {
        TaskAssignment.WorkOneofCase.Probe => "probe",
        TaskAssignment.WorkOneofCase.Chunk => "encode_chunk",
        TaskAssignment.WorkOneofCase.Audio => "encode_audio",
        TaskAssignment.WorkOneofCase.Poster => "poster",
        TaskAssignment.WorkOneofCase.Storyboard => "storyboard",
        TaskAssignment.WorkOneofCase.Subtitles => "subtitles",
        TaskAssignment.WorkOneofCase.Publish => "publish",
        _ => "unknown",
    };

    internal sealed class AttemptSpan : IDisposable
    {
        private readonly string kind;
        private readonly TimeProvider clock;
        private readonly long started;
        private readonly Activity? span;

        public AttemptSpan(TaskAssignment task, string nodeId, TimeProvider clock)
        {
            (kind, this.clock, started) = (Kind(task), clock, clock.GetTimestamp());
            Busy.Add(1);
            var parent = TraceContexts.Parse(task.Traceparent);
            if (parent.IsValid())
            {
                span = Source.StartActivity($"task {kind}", ActivityKind.Consumer, parent)
                    ?.SetTag(SpanTags.MediaId, task.MediaId)
                    .SetTag(SpanTags.JobId, task.Attempt.JobId)
                    .SetTag(SpanTags.TaskId, task.Attempt.TaskId)
                    .SetTag(SpanTags.TaskKind, kind)
                    .SetTag(SpanTags.Attempt, task.Attempt.Attempt)
                    .SetTag(SpanTags.NodeId, nodeId);
            }
        }

        public double Milliseconds => clock.GetElapsedTime(started).TotalMilliseconds;

        public void End(AttemptOutcome ended)
        {
            var outcome = ended.Commit is not null ? Committed
                : ended.Failure!.Code == Attempts.FailureCodes.Cancelled ? "cancelled" : "failed";
            span?.SetTag(SpanTags.Outcome, outcome);
            if (ended.Failure is { } failure)
            {
                span?.SetTag(SpanTags.ErrorType, failure.Code).SetStatus(ActivityStatusCode.Error);
            }

            TaskSeconds.Record(
                clock.GetElapsedTime(started).TotalSeconds, new("kind", kind), new("outcome", outcome));
            if (ended.Commit is { MediaSeconds: > 0, WallSeconds: > 0 } commit)
            {
                TaskSpeed.Record(
                    commit.MediaSeconds / commit.WallSeconds, new KeyValuePair<string, object?>("kind", kind));
            }
        }

        public void Dispose()
        {
            Busy.Add(-1);
            span?.Dispose();
        }
    }

    internal sealed class ToolSpan(string program, string kind, TimeProvider clock) : IDisposable
    {
        private readonly long started = clock.GetTimestamp();
        private readonly Activity? span = Source.StartActivity(program)?.SetTag("process.executable.name", program);
        private string outcome = "stopped";

        public void Exited(int code, TimeSpan processorTime)
        {
            outcome = code == 0 ? "ok" : "failed";
            span?.SetTag("process.exit.code", code)
                .SetTag(SpanTags.CpuSeconds, Math.Round(processorTime.TotalSeconds, 3));
            ToolCpu.Add(processorTime.TotalSeconds, new("program", program), new("kind", kind));
        }

        public void Dispose()
        {
            ToolSeconds.Record(
                clock.GetElapsedTime(started).TotalSeconds, new("program", program), new("outcome", outcome));
            if (outcome != "ok")
            {
                span?.SetTag(SpanTags.ErrorType, outcome).SetStatus(ActivityStatusCode.Error);
            }

            span?.Dispose();
        }
    }
}
