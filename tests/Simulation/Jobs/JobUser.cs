using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;

namespace Hexcast.Simulation.Jobs;

/// <summary>Who orders: a media's version, or a single task; and sometimes cancels and retries.</summary>
internal sealed class JobUser(JobCluster cluster, int number)
{
    private readonly string _media = $"m{number}";

    public bool WantsOneTask => number % 3 == 0;

    /// <summary>Acknowledged, so it may not be lost.</summary>
    public string? JobId { get; private set; }

    public JobFollower? Follower { get; private set; }

    /// <summary>The media is to go, and with it the job.</summary>
    public bool IsDeleting { get; private set; }

    public bool IsForgotten { get; private set; }

    /// <summary>One to six chunks, with sound, a storyboard and subtitles or without, by the media's name.</summary>
    public static PlanSummary PlanOf(string media)
    {
        var seed = (uint)media[1] * 2_654_435_761;
        var plan = new PlanSummary
        {
            HasAudio = seed % 4 > 0, Storyboard = seed % 5 > 1, SubtitleStreams = (int)(seed % 2), DurationSeconds = 24,
        };
        plan.ChunkSeconds.Add(Enumerable.Repeat(4.0, 1 + (int)(seed % 6)));
        return plan;
    }

    public static TaskCommit CommitOf(TaskAssignment task, string prefix)
    {
        var commit = new TaskCommit { MediaSeconds = 4, WallSeconds = 2 };
        commit.Plan = task.Probe is null ? null : PlanOf(task.MediaId);
        commit.Result = task.Publish is null ? new ObjectRef { Key = prefix } : null;
        return commit;
    }

    public void Order()
    {
        // Ids of jobs come from the clock in production, so each is later than those before.
        cluster.Call(
            request => WantsOneTask
                ? new TaskOrdered(request, $"j{cluster.Number():D8}", new ScheduleTaskRequest
                {
                    RequestId = _media, MediaId = _media, SourceKey = $"sources/{_media}", Class = "sd",
                    Tenant = "other", Task = new OneTask { MediaSeconds = 4, Chunk = new ChunkWork() },
                })
                : new TranscodeOrdered(request, $"j{cluster.Number():D8}", new TranscodeRequest
                {
                    MediaId = _media, PresetName = "p", Class = number % 2 == 0 ? "hd" : "background",
                    SourceKey = $"sources/{_media}", Tenant = "default",
                }),
            (message, refusal) =>
            {
                if (refusal is not null)
                {
                    JobCluster.Require(refusal == "resource_exhausted", $"an order was refused as {refusal}");
                    cluster.World.After(cluster.World.Dice.Between(500, 2_000), Order);
                    return;
                }
                JobId = message is TranscodeResponse job ? job.JobId : ((ScheduleTaskResponse)message!).JobId;
                JobCluster.Require(
                    cluster.Ledger.Find(JobId) is not null, "an order was acknowledged and is not durable (I1)");
                Follower = new JobFollower(cluster, JobId);
                Follower.Reopen();
            });
    }

    public void Delete()
    {
        if (JobId is null || IsDeleting)
        {
            return;
        }
        IsDeleting = true;
        cluster.Call(request => new ForgetOrdered(request, _media), (_, refusal) =>
        {
            JobCluster.Require(refusal is null, $"{_media} is not forgotten but {refusal}");
            JobCluster.Require(
                cluster.Ledger.Jobs.All(j => j.MediaId != _media), $"{_media} was forgotten and has a job (I1)");
            cluster.RemoveMedia(_media);
            IsForgotten = true;
        });
    }

    public void Cancel() => Ask(request => new CancelOrdered(request, JobId!));

    public void Look() => Ask(request => new JobAsked(request, JobId!));

    public void Retry() => Ask(request => new RetryOrdered(request, JobId!));

    public JobState State => cluster.Ledger.Find(JobId)?.State ?? JobState.Unspecified;

    private void Ask(Func<long, SchedulerEvent> ask)
    {
        if (JobId is not null && !IsDeleting)
        {
            cluster.Call(ask, (_, refusal) => JobCluster.Require(
                refusal is null or "precondition_failed" || IsDeleting,
                $"{JobId} was acknowledged and is {refusal} (I1)"));
        }
    }
}
