using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>What is told of a task's attempts: when, how many, and what went wrong.</summary>
public sealed class TaskTimesTests
{
    [Fact]
    public void A_task_tells_when_its_last_attempt_began_and_ended()
    {
        var stage = Probing();
        var began = stage.Now;
        stage.Pass(2.5);
        var running = Probe(stage);
        running.StartedAt.ToDateTimeOffset().ShouldBe(began);
        running.EndedAt.ShouldBeNull();
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 1));
        var done = Probe(stage);
        done.StartedAt.ToDateTimeOffset().ShouldBe(began);
        done.EndedAt.ToDateTimeOffset().ShouldBe(began.AddSeconds(2.5));
        Task(stage, "publish").StartedAt.ShouldBeNull("nobody has had it yet");
    }

    [Fact]
    public void Times_and_failures_survive_the_master()
    {
        var stage = Probing();
        stage.Pass(1);
        stage.Fail("w1", "j1/probe#1");
        stage.Pass(1);
        stage.Heartbeat(1, "j1/probe#2");
        stage.Pass(3);
        stage.Commit("w1", "j1/probe#2", Stage.Plan(chunks: 1));
        var before = Probe(stage);
        (before.EndedAt - before.StartedAt).ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(3));
        before.LastFailure.LogTail.ShouldBe("in the worker's words", "it succeeded since, and people still ask");
        before.Attempts.ShouldBe(2u);
        stage.Restart();
        var after = Probe(stage);
        (after.StartedAt, after.EndedAt, after.Attempts).ShouldBe((before.StartedAt, before.EndedAt, before.Attempts));
        after.LastFailure.ShouldBe(before.LastFailure);
    }

    [Fact]
    public void A_failure_is_told_after_a_retry_but_does_not_count()
    {
        var stage = Probing();
        stage.Fail("w1", "j1/probe#1", "source_not_media", permanent: true);
        Probe(stage).State.ShouldBe(TaskState.Failed);
        stage.Sweep("j1");
        stage.Ask("retry", request => new RetryOrdered(request, "j1"));
        stage.Ask("cancel", request => new CancelOrdered(request, "j1"));
        Probe(stage).State.ShouldBe(TaskState.Cancelled);
        Probe(stage).LastFailure.Code.ShouldBe("source_not_media");
    }

    [Fact]
    public void A_late_commit_is_told_with_its_own_times()
    {
        var stage = Probing();
        var began = stage.Now;
        stage.Leave(1);
        stage.Join("w2", 1);
        stage.Pass(5);
        Probe(stage).Attempt.ShouldBe(2u);
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 1));
        Probe(stage).StartedAt.ToDateTimeOffset().ShouldBe(began);
        Probe(stage).EndedAt.ToDateTimeOffset().ShouldBe(stage.Now);
    }

    [Fact]
    public void A_cancelled_attempt_ends_when_it_is_told_to_stop()
    {
        var stage = Probing();
        stage.Pass(2);
        stage.Ask("cancel", request => new CancelOrdered(request, "j1"));
        Probe(stage).EndedAt.ToDateTimeOffset().ShouldBe(stage.Now);
    }

    [Fact]
    public void However_many_tasks_have_failed_a_job_fits_into_a_message()
    {
        var stage = new Stage(new MasterOptions { AttemptLimit = 10 });
        stage.Join("w1", 600);
        stage.Order();
        stage.Watch("j1");
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 500));
        foreach (var task in stage.Job("j1").Tasks.Where(t => t.State == TaskState.Assigned).ToList())
        {
            stage.Fail("w1", $"j1/{task.TaskId}#1", words: new string('x', 16 * 1024));
        }

        const int grpcLimitBytes = 4 << 20;
        stage.Job("j1").CalculateSize().ShouldBeLessThan(grpcLimitBytes);
        stage.Job("j1").Tasks.Count(t => t.LastFailure?.LogTail.Length > 0).ShouldBe(64);
        stage.Job("j1").Tasks.Count(t => t.LastFailure is not null).ShouldBe(502);
        stage.Fed.ShouldAllBe(e => e.CalculateSize() < grpcLimitBytes);
        stage.Watch("j1");
        stage.Fed[^1].Progress.Tasks.Count.ShouldBe(504);
        stage.Fed[^1].CalculateSize().ShouldBeLessThan(grpcLimitBytes);
    }

    private static Stage Probing()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        stage.Order();
        return stage;
    }

    private static JobTask Probe(Stage stage) => Task(stage, "probe");

    private static JobTask Task(Stage stage, string id) => stage.Job("j1").Tasks.Single(t => t.TaskId == id);
}
