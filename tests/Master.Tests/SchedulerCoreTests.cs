using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>The core's rules, one at a time.</summary>
public sealed class SchedulerCoreTests
{
    private const string Other = "01jdf3k5v8e9x2m4n6p8q0zzzz";

    [Fact]
    public void A_full_queue_refuses_an_order_but_still_answers_a_repeated_one()
    {
        var stage = new Stage(new MasterOptions { QueueLimit = 1 });
        stage.Order("j1").ShouldBe("j1");
        stage.Order("j2", Other);
        stage.Answers[^1].Refusal.ShouldBe("resource_exhausted");
        stage.Order("j3").ShouldBe("j1");
    }

    [Fact]
    public void A_failed_or_cancelled_job_does_not_stand_in_the_way_of_a_new_order()
    {
        var stage = new Stage();
        stage.Order();
        stage.Ask("cancel", request => new CancelOrdered(request, "j1"));
        stage.Order("j2").ShouldBe("j2");
        stage.Ask("retry", request => new RetryOrdered(request, "j1")).ShouldBe("precondition_failed");
    }

    [Fact]
    public void A_permanent_failure_fails_the_job_at_once()
    {
        var stage = Probing();
        stage.Fail("w1", "j1/probe#1", "source_not_media", permanent: true);
        stage.Sweep("j1");
        var job = stage.Job("j1");
        (job.State, job.Failure.Code).ShouldBe((JobState.Failed, "source_not_media"));
        job.Tasks.Single().State.ShouldBe(TaskState.Failed);
    }

    [Fact]
    public void Retries_wait_longer_each_time()
    {
        var stage = Probing();
        stage.Fail("w1", "j1/probe#1");
        stage.Pass(0.9);
        stage.Assigned.Count().ShouldBe(1);
        stage.Pass(0.2);
        stage.Assigned.Count().ShouldBe(2);
        stage.Fail("w1", "j1/probe#2");
        stage.Pass(1.9);
        stage.Assigned.Count().ShouldBe(2);
        stage.Pass(0.2);
        stage.Assigned.Count().ShouldBe(3);
    }

    [Fact]
    public void A_lost_worker_does_not_count_as_a_failure_of_the_task()
    {
        var stage = new Stage();
        stage.Order();
        for (var i = 1; i <= 10; i++)
        {
            var session = stage.Join("w1", 1);
            stage.Assigned.Count().ShouldBe(i);
            stage.Leave(session);
            stage.Pass(1);
        }

        stage.Job("j1").State.ShouldBe(JobState.Running);
    }

    [Theory]
    [InlineData("scratch_full")]
    [InlineData("storage_full")]
    public void A_task_that_finds_a_disk_full_is_tried_again_until_there_is_space_but_not_for_ever(string code)
    {
        var stage = new Stage();
        stage.Order();
        for (var i = 1; i <= 120; i++)
        {
            stage.Job("j1").State.ShouldBe(JobState.Running, $"after {i - 1} times");
            var session = stage.Join("w1", 1);
            stage.Fail("w1", $"j1/probe#{i}", code);
            stage.Leave(session);
            stage.Pass(31);
        }

        stage.Job("j1").Failure.Code.ShouldBe(code);
    }

    [Fact]
    public void A_task_that_takes_every_worker_down_fails_its_job()
    {
        var stage = new Stage();
        stage.Order();
        for (var i = 0; i < 40 && stage.Job("j1").Failure is null; i++)
        {
            stage.Leave(stage.Join("w1", 1));
            stage.Pass(1);
        }

        stage.Job("j1").Failure.Code.ShouldBe("worker_lost");
    }

    [Fact]
    public void Nine_seconds_of_silence_lose_a_worker_whose_stream_still_stands()
    {
        var stage = Probing();
        stage.Join("w2", 1);
        stage.Pass(8);
        stage.Heartbeat(3);
        stage.Pass(2);
        stage.Assigned.ShouldBe(["j1/probe#1", "j1/probe#2"]);
        stage.Job("j1").Tasks[0].NodeId.ShouldBe("w2");
    }

    [Fact]
    public void A_worker_that_comes_back_in_time_keeps_its_attempt()
    {
        var stage = Probing();
        stage.Leave(1);
        stage.Pass(0.9);
        stage.Join("w1", 1, "j1/probe#1");
        stage.Pass(5);
        stage.Assigned.ShouldBe(["j1/probe#1"]);
        stage.Job("j1").Tasks[0].State.ShouldBe(TaskState.Running);
    }

    [Fact]
    public void A_worker_that_comes_back_too_late_is_told_to_stop()
    {
        var stage = Probing();
        stage.Leave(1);
        stage.Join("w2", 1);
        stage.Pass(1);
        stage.Join("w1", 1, "j1/probe#1");
        stage.Cancelled.ShouldBe(["j1/probe#1"]);
        stage.Commit("w1", "j1/probe#1", Stage.Plan(1)).ShouldBe("SUPERSEDED");
        stage.Commit("w2", "j1/probe#2", Stage.Plan(1)).ShouldBe("ACCEPTED");
    }

    [Fact]
    public void Only_the_master_tells_a_worker_to_stop_what_it_does_not_know()
    {
        var stage = new Stage();
        var session = stage.Join("w1", 1, "j9/probe#1");
        stage.Script.ShouldContain($"""
                      confirm the mastership
                      send {session}: cancel j9/probe#1
            """, Case.Sensitive, "a newer one may have assigned it");
    }

    [Fact]
    public void A_second_stream_of_a_node_replaces_its_first()
    {
        var stage = Probing();
        stage.Join("w1", 1, "j1/probe#1");
        stage.Leave(1);
        stage.Pass(5);
        stage.Assigned.ShouldBe(["j1/probe#1"], "the first stream's end means nothing any more");
        stage.Script.ShouldContain("drop 1");
    }

    [Fact]
    public void An_attempt_that_the_worker_no_longer_names_is_over()
    {
        var stage = Probing();
        stage.Heartbeat(1);
        stage.Assigned.Count().ShouldBe(1, "the heartbeat may have left before the assignment came");
        stage.Heartbeat(1, "j1/probe#1");
        stage.Heartbeat(1);
        stage.Assigned.ShouldBe(["j1/probe#1", "j1/probe#2"]);
    }

    [Fact]
    public void A_claim_that_crossed_its_own_verdict_does_not_hold_a_slot()
    {
        var stage = Probing();
        stage.Leave(1);
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 1, audio: false));
        var session = stage.Join("w1", 1, "j1/probe#1");
        stage.Cancelled.ShouldBeEmpty("its own commit was accepted");
        stage.Assigned.Count().ShouldBe(1);
        stage.Heartbeat(session);
        stage.Assigned.ShouldBe(["j1/probe#1", "j1/chunk-0000#1"]);
    }

    [Fact]
    public void A_report_whose_worker_has_heard_of_a_newer_master_is_not_judged()
    {
        var stage = Probing();
        stage.Commit("w1", "j1/probe#1", Stage.Plan(1), heardFence: 8).ShouldBe("unavailable");
        stage.Commit("w1", "j1/probe#1", Stage.Plan(1), heardFence: 7).ShouldBe("ACCEPTED");
    }

    [Fact]
    public void Only_the_first_commit_of_a_task_counts()
    {
        var stage = Probing();
        stage.Leave(1);
        stage.Join("w2", 1);
        stage.Pass(1);
        stage.Commit("w2", "j1/probe#2", Stage.Plan(1)).ShouldBe("ACCEPTED");
        stage.Commit("w1", "j1/probe#1", Stage.Plan(5)).ShouldBe("SUPERSEDED");
        stage.Commit("w2", "j1/probe#2", Stage.Plan(1)).ShouldBe("ACCEPTED");
        stage.Job("j1").Tasks.Count(t => t.Kind == TaskKind.EncodeChunk).ShouldBe(1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(JobGraph.ChunkLimit + 1)]
    public void A_plan_that_no_job_can_have_fails_the_job_with_words(int chunks)
    {
        var stage = Probing();
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks));
        stage.Sweep("j1");
        stage.Job("j1").Failure.Code.ShouldBe("bad_commit");
    }

    [Fact]
    public void A_job_at_the_limit_of_chunks_can_be_published()
    {
        var stage = new Stage(new MasterOptions());
        stage.Join("w1", 1_000);
        stage.Order();
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 1_000));
        while (stage.Assigned.Last() is var last && !last.Contains("publish"))
        {
            foreach (var open in stage.Job("j1").Tasks.Where(t => t.State == TaskState.Assigned).ToList())
            {
                stage.Commit("w1", $"j1/{open.TaskId}#1");
            }
        }

        var publish = stage.Sent[^1].Message.Assign.Publish;
        publish.Indexes.Count.ShouldBe(1_001);
        publish.Indexes[0].Key.ShouldBe("chunk-0000-1/index.json");
        publish.Indexes[^1].Key.ShouldBe("audio-1/index.json");
    }

    [Fact]
    public void Attempts_of_a_new_mastership_never_reuse_a_number()
    {
        var stage = Probing();
        stage.Restart();
        stage.Join("w1", 1);
        stage.Assigned.ShouldBe(["j1/probe#1", "j1/probe#2"]);
    }

    [Fact]
    public void Without_any_worker_back_a_new_master_waits_nine_seconds_for_the_recorded_ones()
    {
        var stage = Probing();
        stage.Restart();
        stage.Pass(8);
        stage.Job("j1").Tasks[0].State.ShouldBe(TaskState.Assigned);
        stage.Pass(2);
        stage.Job("j1").Tasks[0].State.ShouldBe(TaskState.Ready);
    }

    [Fact]
    public void A_job_that_was_ending_when_the_master_died_is_ended_by_the_next()
    {
        var stage = Probing();
        stage.Ask("cancel", request => new CancelOrdered(request, "j1"));
        stage.Restart();
        stage.Join("w1", 1);
        stage.Script.ShouldEndWith("sweep j1: probe-1\n");
        stage.Sweep("j1");
        stage.Job("j1").State.ShouldBe(JobState.Cancelled);
    }

    [Fact]
    public void What_a_lost_worker_left_of_an_ended_job_is_swept_when_it_comes_back()
    {
        var stage = Probing();
        stage.Leave(1);
        stage.Pass(1);
        stage.Ask("cancel", request => new CancelOrdered(request, "j1"));
        stage.Sweep("j1");
        stage.Job("j1").State.ShouldBe(JobState.Cancelled);
        stage.Join("w1", 1);
        stage.Script.ShouldEndWith("sweep j1: probe-1\n");
    }

    [Fact]
    public void A_job_whose_media_is_being_deleted_is_not_retried()
    {
        var stage = Probing();
        stage.Leave(1);
        stage.Pass(1);
        stage.Ask("cancel", request => new CancelOrdered(request, "j1"));
        stage.Sweep("j1");
        stage.Join("w1", 1);
        stage.Ask("forget", request => new ForgetOrdered(request, Stage.Media)).ShouldBe("", "objects are being swept");
        stage.Ask("retry", request => new RetryOrdered(request, "j1")).ShouldBe("precondition_failed");
        stage.Sweep("j1");
        stage.Disk.ShouldBeEmpty();
    }

    [Fact]
    public void Losses_before_a_retry_do_not_count_for_the_next_master_either()
    {
        var stage = new Stage();
        stage.Order();
        while (stage.Job("j1").Failure is null)
        {
            stage.Leave(stage.Join("w1", 1));
            stage.Pass(1);
        }

        stage.Sweep("j1");
        stage.Ask("retry", request => new RetryOrdered(request, "j1"));
        stage.Restart();
        stage.Leave(stage.Join("w1", 1));
        stage.Pass(1);
        stage.Job("j1").Failure.ShouldBeNull();
    }

    [Fact]
    public void A_retried_job_keeps_little_of_what_its_earlier_turns_said()
    {
        var stage = Probing();
        for (var i = 1; i <= 20; i++)
        {
            stage.Fail("w1", $"j1/probe#{i}", "source_not_media", permanent: true, new string('é', 16 * 1024));
            stage.Sweep("j1");
            stage.Ask("retry", request => new RetryOrdered(request, "j1"));
        }

        var record = (JobRecord)stage.Disk[RecordWrite.JobKey("j1")];
        record.Turns.Count(turn => turn.Ended is not null).ShouldBe(20);
        record.Turns[0].Ended.Failure.Message.ShouldBe(new string('é', 256));
        record.CalculateSize().ShouldBeLessThan(20 * 1024);
    }

    private static Stage Probing()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        stage.Order();
        return stage;
    }
}
