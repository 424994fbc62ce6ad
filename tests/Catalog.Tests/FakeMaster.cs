using System.Collections.Concurrent;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Catalog.Tests;

/// <summary>The seam to the master: one job a media, whose events the test writes, replayed from any cursor.</summary>
internal sealed class FakeMaster
{
    private readonly Lock jobsLock = new();
    private readonly Dictionary<string, FakeJob> jobs = new(StringComparer.Ordinal);
    private int lastJob;

    /// <summary>What the next calls are refused with.</summary>
    public StatusCode Refusal { get; set; } = StatusCode.OK;

    /// <summary>Takes the order, then loses the answer.</summary>
    public int AnswersToLose { get; set; }

    /// <summary>Runs within each order.</summary>
    public Func<CancellationToken, Task> OnOrder { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs before a media is forgotten.</summary>
    public Func<string, CancellationToken, Task> OnForget { get; set; } = (_, _) => Task.CompletedTask;

    public ConcurrentQueue<TranscodeRequest> Orders { get; } = new();

    public ConcurrentQueue<string> Forgotten { get; } = new();

    public ConcurrentQueue<string> Retried { get; } = new();

    public ConcurrentQueue<long> WatchedFrom { get; } = new();

    public FakeJob Job(string mediaId)
    {
        lock (jobsLock)
        {
            if (!jobs.TryGetValue(mediaId, out var job))
            {
                jobs[mediaId] = job = new FakeJob($"job-{++lastJob}", mediaId);
            }

            return job;
        }
    }

    public FakeJob ById(string jobId)
    {
        lock (jobsLock)
        {
            return jobs.Values.SingleOrDefault(job => job.JobId == jobId)
                ?? throw new RpcException(new Status(StatusCode.NotFound, "no such job"));
        }
    }

    public void Forget(string mediaId)
    {
        lock (jobsLock)
        {
            jobs.Remove(mediaId);
        }
    }

    public void Check()
    {
        if (Refusal != StatusCode.OK)
        {
            throw new RpcException(new Status(Refusal, "refused by the test"));
        }
    }
}

internal sealed class FakeJob(string jobId, string mediaId)
{
    private readonly List<JobEvent> events = [];
    private readonly Lock eventsLock = new();
    private readonly List<TaskCompletionSource> waiting = [];
    private bool isBroken;

    public string JobId => jobId;

    public long Revision { get; private set; }

    public JobEvent Say(Action<JobEvent> fill, bool transient = false)
    {
        lock (eventsLock)
        {
            var said = new JobEvent
            {
                JobId = jobId,
                MediaId = mediaId,
                Version = jobId,
                Revision = transient ? 0 : ++Revision,
            };
            fill(said);
            events.Add(said);
            waiting.ForEach(w => w.TrySetResult());
            waiting.Clear();
            return said;
        }
    }

    /// <summary>The streams of those who follow it break.</summary>
    public void Break()
    {
        lock (eventsLock)
        {
            isBroken = true;
            waiting.ForEach(w => w.TrySetResult());
            waiting.Clear();
        }
    }

    /// <summary>Those said from the position on, or what to wait for.</summary>
    public (IReadOnlyList<JobEvent> Events, Task More) From(int position)
    {
        lock (eventsLock)
        {
            if (isBroken)
            {
                throw new RpcException(new Status(StatusCode.Unavailable, "the stream broke"));
            }

            var more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Add(more);
            return (events.Skip(position).ToList(), more.Task);
        }
    }
}

internal sealed class FakeTranscoder(FakeMaster master) : Transcoder.TranscoderBase
{
    public override async Task<TranscodeResponse> Transcode(TranscodeRequest request, ServerCallContext context)
    {
        master.Check();
        master.Orders.Enqueue(request);
        await master.OnOrder(context.CancellationToken);
        var job = master.Job(request.MediaId);
        if (master.AnswersToLose-- > 0)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the answer is lost"));
        }

        return new TranscodeResponse { JobId = job.JobId };
    }
}

internal sealed class FakeScheduler(FakeMaster master) : Scheduler.SchedulerBase
{
    public override async Task WatchJob(
        WatchJobRequest request, IServerStreamWriter<JobEvent> responseStream, ServerCallContext context)
    {
        master.Check();
        master.WatchedFrom.Enqueue(request.AfterRevision);
        var job = master.ById(request.JobId);
        var position = 0;
        while (true)
        {
            var (events, more) = job.From(position);
            foreach (var said in events)
            {
                position++;
                if (said.Revision == 0 || said.Revision > request.AfterRevision)
                {
                    await responseStream.WriteAsync(said, context.CancellationToken);
                }
            }

            if (events.Count == 0)
            {
                await more.WaitAsync(context.CancellationToken);
            }
        }
    }

    public override Task<Job> GetJob(GetJobRequest request, ServerCallContext context)
    {
        master.Check();
        var answer = new Job { JobId = master.ById(request.JobId).JobId, State = JobState.Running };
        answer.Tasks.Add(new JobTask
        {
            TaskId = "chunk-0000",
            Kind = TaskKind.EncodeChunk,
            State = TaskState.Running,
            Attempt = 2,
            Fraction = 0.5,
            Needs = { "probe" },
            Attempts = 2,
            StartedAt = new Google.Protobuf.WellKnownTypes.Timestamp { Seconds = 1_700_000_000 },
            LastFailure = new TaskFailure { Code = "tool_failed", Message = "it broke", LogTail = "in its own words" },
        });
        return Task.FromResult(answer);
    }

    public override Task<RetryJobResponse> RetryJob(RetryJobRequest request, ServerCallContext context)
    {
        master.Check();
        master.ById(request.JobId).Say(e => e.Restarted = new JobRestarted());
        master.Retried.Enqueue(request.JobId);
        return Task.FromResult(new RetryJobResponse());
    }

    public override async Task<ForgetMediaResponse> ForgetMedia(ForgetMediaRequest request, ServerCallContext context)
    {
        master.Check();
        await master.OnForget(request.MediaId, context.CancellationToken);
        master.Forgotten.Enqueue(request.MediaId);
        master.Forget(request.MediaId);
        return new ForgetMediaResponse();
    }
}

internal sealed class FakeMasterModule(FakeMaster master) : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        role.Services.AddSingleton(master);
        role.Services.AddSingleton<FakeTranscoder>();
        role.Services.AddSingleton<FakeScheduler>();
    }

    public override void MapGrpc(IEndpointRouteBuilder grpc)
    {
        grpc.MapGrpcService<FakeTranscoder>();
        grpc.MapGrpcService<FakeScheduler>();
    }
}
