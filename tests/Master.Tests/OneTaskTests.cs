using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>Jobs of one task.</summary>
public sealed class OneTaskTests
{
    [Fact]
    public void A_task_is_durable_then_handed_out_and_its_job_ends_with_it()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        Schedule(stage, "r1", "k1").ShouldBe(new Scheduled("k1", "chunk-0003", null));
        var work = stage.Sent[^1].Message.Assign;
        (work.Attempt.TaskId, work.Chunk.Chunk, work.Chunk.Plan.Key).ShouldBe(("chunk-0003", 3, "a/plan.json"));
        stage.Script.ShouldContain("""
                      persist job k1 Running
                      answer ScheduleTaskResponse
                      persist task chunk-0003 attempts=1 open=[1@w1]
            """, Case.Sensitive);
        stage.Commit("w1", "k1/chunk-0003#1").ShouldBe("ACCEPTED");
        stage.Job("k1").State.ShouldBe(JobState.Done);
        stage.Watch("k1", follow: false);
        stage.Fed.Where(e => e.Revision > 0).Select(e => e.EventCase)
            .ShouldBe([JobEvent.EventOneofCase.Committed, JobEvent.EventOneofCase.Ended]);
    }

    [Fact]
    public void The_same_request_is_answered_with_the_same_job_also_by_the_next_master_and_after_the_end()
    {
        var stage = new Stage(new MasterOptions { QueueLimit = 1 });
        stage.Join("w1", 1);
        Schedule(stage, "r1", "k1");
        Schedule(stage, "r1", "k2").Job.ShouldBe("k1", "though the queue is full");
        stage.Restart();
        Schedule(stage, "r1", "k3").Job.ShouldBe("k1", "though no worker is there yet");
        stage.Join("w1", 1, "k1/chunk-0003#1");
        stage.Commit("w1", "k1/chunk-0003#1");
        Schedule(stage, "r1", "k4").Job.ShouldBe("k1");
        stage.Assigned.ShouldBe(["k1/chunk-0003#1"]);
    }

    [Fact]
    public void A_full_queue_and_an_empty_cluster_refuse()
    {
        var stage = new Stage(new MasterOptions { QueueLimit = 1 });
        stage.Pass(9);
        Schedule(stage, "r1", "k1").Refusal.ShouldBe("resource_exhausted", "nobody is there");
        stage.Join("w1", 1);
        Schedule(stage, "r1", "k1").Job.ShouldBe("k1");
        Schedule(stage, "r2", "k2").Refusal.ShouldBe("resource_exhausted");
        stage.Disk.Keys.ShouldBe(
            ["/hexcast/jobs/k1", "/hexcast/jobs/k1/tasks/chunk-0003"], "what is refused costs nothing");
    }

    [Fact]
    public void An_hour_after_its_end_a_job_of_one_task_is_forgotten_also_by_another_master()
    {
        var stage = Ended("k1");
        stage.Pass(1_800);
        stage.Restart();
        stage.Pass(1_700);
        stage.Disk.ShouldNotBeEmpty();
        stage.Pass(200);
        stage.Disk.ShouldBeEmpty();
        stage.Ask("job k1", request => new JobAsked(request, "k1")).ShouldBe("not_found");
    }

    [Fact]
    public void Only_so_many_that_have_ended_are_remembered()
    {
        var stage = Ended([.. Enumerable.Range(0, OneTaskJobs.KeptLimit + 2).Select(i => $"k{i:D6}")]);
        stage.Pass(0);
        stage.Ask("job k0", request => new JobAsked(request, "k000000")).ShouldBe("not_found");
        stage.Job($"k{OneTaskJobs.KeptLimit + 1:D6}").State.ShouldBe(JobState.Done);
        stage.Disk.Count.ShouldBe(2 * OneTaskJobs.KeptLimit);
    }

    [Fact]
    public void A_task_fails_and_is_retried_as_any_other_and_a_medias_end_takes_its_tasks_with_it()
    {
        var stage = new Stage(new MasterOptions { AttemptLimit = 2 });
        stage.Join("w1", 1);
        Schedule(stage, "r1", "k1");
        stage.Fail("w1", "k1/chunk-0003#1");
        stage.Pass(1);
        stage.Fail("w1", "k1/chunk-0003#2");
        stage.Sweep("k1");
        stage.Job("k1").State.ShouldBe(JobState.Failed);
        stage.Ask("retry", request => new RetryOrdered(request, "k1")).ShouldBe("RetryJobResponse");
        stage.Commit("w1", "k1/chunk-0003#3").ShouldBe("ACCEPTED");
        stage.Sweep("k1");
        stage.Ask("forget", request => new ForgetOrdered(request, Stage.Media)).ShouldBe("ForgetMediaResponse");
        stage.Disk.ShouldBeEmpty();
        Schedule(stage, "r1", "k2").Job.ShouldBe("k2", "the request is forgotten with it");
    }

    [Fact]
    public void A_probe_alone_lays_out_no_other_task()
    {
        var stage = new Stage();
        stage.Join("w1", 9);
        Schedule(stage, "r1", "k1", new OneTask { Probe = new ProbeWork { Preset = "gop: 00:00:02" } });
        stage.Sent[^1].Message.Assign.Probe.Preset.ShouldBe("gop: 00:00:02");
        stage.Commit("w1", "k1/probe#1", Stage.Plan(chunks: 4)).ShouldBe("ACCEPTED");
        stage.Assigned.ShouldBe(["k1/probe#1"]);
        stage.Job("k1").State.ShouldBe(JobState.Done);
    }

    [Fact]
    public void A_job_of_one_task_does_not_stand_in_the_way_of_the_medias_own()
    {
        var stage = new Stage();
        stage.Join("w1", 9);
        Schedule(stage, "r1", "k1");
        stage.Order("j1", preset: "").ShouldBe("j1");
    }

    private static Stage Ended(params IReadOnlyList<string> jobs)
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        foreach (var job in jobs)
        {
            Schedule(stage, $"r-{job}", job);
            stage.Commit("w1", $"{job}/chunk-0003#1");
        }

        return stage;
    }

    private static Scheduled Schedule(Stage stage, string request, string job, OneTask? task = null)
    {
        task ??= new OneTask
        {
            MediaSeconds = 4, Chunk = new ChunkWork { Plan = new ObjectRef { Key = "a/plan.json" }, Chunk = 3 },
        };
        stage.Ask($"schedule {request}", number => new TaskOrdered(number, job, new ScheduleTaskRequest
        {
            RequestId = request, MediaId = Stage.Media, SourceKey = $"sources/{Stage.Media}", Class = "hd",
            Tenant = "default", Task = task,
        }));
        var (_, answer, refusal) = stage.Answers[^1];
        return answer is ScheduleTaskResponse given
            ? new Scheduled(given.JobId, given.TaskId, null) : new Scheduled("", "", refusal);
    }

    private sealed record Scheduled(string Job, string Task, string? Refusal);
}
