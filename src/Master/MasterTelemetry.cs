using System.Diagnostics;
using System.Diagnostics.Metrics;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Platform.Telemetry;

namespace Hexcast.Master;

/// <summary>
/// Spans: job.create, whose context the job's record keeps; queue {task}, how long a task waited for a slot; job
/// {outcome}, from the order to the end. The core only says what happened, its shell measures.
/// </summary>
internal static class MasterTelemetry
{
    private static readonly ActivitySource Source = new("Hexcast.Master");
    private static readonly Meter Meter = new("Hexcast.Master");

    private static readonly Histogram<double> QueueWait = Meter.CreateHistogram(
        "transcode.queue.wait", "s", "How long tasks were ready before a worker got them, by class",
        tags: null, Buckets.Long);

    private static readonly Counter<long> Jobs = Meter.CreateCounter<long>(
        "transcode.jobs.ended", "{job}", "Jobs that have ended, by outcome");

    private static readonly Histogram<double> JobSeconds = Meter.CreateHistogram(
        "transcode.job.duration", "s", "From the order of a job to its end, by outcome", tags: null, Buckets.Long);

    private static readonly Counter<long> WorkersLost = Meter.CreateCounter<long>(
        "transcode.workers.lost", "{worker}", "Workers that were given up: nothing was heard of them");

    /// <summary>A counter that was never needed is 0, not absent: alerts count on it.</summary>
    public static void Zero()
    {
        WorkersLost.Add(0);
        foreach (var outcome in (string[])["done", "failed", "cancelled"])
        {
            Jobs.Add(0, new KeyValuePair<string, object?>("outcome", outcome));
        }
    }

    /// <summary>Under the call that brings the order, or under what the order itself names.</summary>
    public static Activity? Order(TranscodeRequest order) => Source.StartActivity(
        "job.create", ActivityKind.Internal,
        Activity.Current is null ? TraceContexts.Parse(order.Traceparent) : default)
        ?.SetTag(SpanTags.MediaId, order.MediaId);

    public static void NoteSent(MasterMessage message, DateTimeOffset now)
    {
        if (message.Assign is not { } task)
        {
            return;
        }

        var ready = DateTimeOffset.FromUnixTimeMilliseconds(task.ReadyAtUnixMs);
        QueueWait.Record(
            Math.Max(0, (now - ready).TotalSeconds), new KeyValuePair<string, object?>("class", task.Class));
        var parent = TraceContexts.Parse(task.Traceparent);
        if (parent.IsValid())
        {
            using var span = Source.StartActivity("queue", ActivityKind.Internal, parent, startTime: ready)
                ?.SetTag(SpanTags.MediaId, task.MediaId)
                .SetTag(SpanTags.JobId, task.Attempt.JobId)
                .SetTag(SpanTags.TaskId, task.Attempt.TaskId)
                .SetTag(SpanTags.Attempt, task.Attempt.Attempt)
                .SetTag("hexcast.class", task.Class);
        }
    }

    public static void Note(Measure measure, DateTimeOffset now)
    {
        switch (measure)
        {
            case JobOver over:
                End(over.Job, now);
                break;
            case WorkerGivenUp:
                WorkersLost.Add(1);
                break;
        }
    }

    private static void End(JobRecord job, DateTimeOffset now)
    {
        var outcome = job.State switch
        {
            JobState.Done => "done",
            JobState.Failed => "failed",
            _ => "cancelled",
        };
        var created = DateTimeOffset.FromUnixTimeMilliseconds(job.CreatedAtUnixMs);
        Jobs.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        JobSeconds.Record((now - created).TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));
        var parent = TraceContexts.Parse(job.Traceparent);
        if (parent.IsValid())
        {
            using var span = Source.StartActivity("job", ActivityKind.Internal, parent, startTime: created)
                ?.SetTag(SpanTags.MediaId, job.MediaId)
                .SetTag(SpanTags.JobId, job.JobId)
                .SetTag(SpanTags.Outcome, outcome);
            if (job.Ending?.Failure is { } failure)
            {
                span?.SetTag(SpanTags.ErrorType, failure.Code).SetStatus(ActivityStatusCode.Error);
            }
        }
    }
}
