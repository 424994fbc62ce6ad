using Hexcast.Contracts.V1;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>Who goes first.</summary>
public sealed class DispatcherTests
{
    private const string Other = "01jdf3k5v8e9x2m4n6p8q0zzzz";
    private const string Third = "01jdf3k5v8e9x2m4n6p8q0yyyy";

    [Fact]
    public void What_a_viewer_waits_for_goes_first_then_chunks_in_order()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        stage.Order();
        WorkToTheEnd(stage, _ => Stage.Plan(chunks: 4));
        stage.Assigned.Select(a => a.Split('/', '#')[1]).ShouldBe(
            ["probe", "chunk-0000", "audio", "poster", "chunk-0001", "chunk-0002", "chunk-0003", "publish"]);
    }

    [Fact]
    public void Subtitles_come_before_the_bulk_and_the_storyboard_after_it_beside_the_publish_task()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        stage.Order();
        WorkToTheEnd(stage, _ => Stage.Plan(chunks: 3, storyboard: true, subtitles: 2));
        stage.Assigned.Select(a => a.Split('/', '#')[1]).ShouldBe(
        [
            "probe", "chunk-0000", "audio", "poster", "subtitles", "chunk-0001", "chunk-0002", "publish", "storyboard",
        ]);
        stage.Sweep("j1");
        stage.Job("j1").State.ShouldBe(JobState.Done);
    }

    [Fact]
    public void A_storyboard_needs_every_chunk_and_is_given_their_indexes()
    {
        var stage = new Stage();
        stage.Join("w1", 9);
        stage.Order();
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 2, storyboard: true));
        stage.Commit("w1", "j1/chunk-0001#1");
        stage.Assigned.ShouldNotContain("j1/storyboard#1");
        stage.Commit("w1", "j1/chunk-0000#1");
        stage.Assigned.Last().ShouldBe("j1/storyboard#1", "the sound and the poster are still in the works");
        stage.Sent[^1].Message.Assign.Storyboard.Indexes.Select(i => i.Key)
            .ShouldBe(["chunk-0000-1/index.json", "chunk-0001-1/index.json"]);
        stage.Job("j1").Tasks.Single(t => t.TaskId == "storyboard").Needs.ShouldBe(["chunk-0000", "chunk-0001"]);
        stage.Job("j1").Tasks.Single(t => t.TaskId == "publish").Needs
            .ShouldBe(["chunk-0000", "chunk-0001", "audio", "poster"]);
    }

    [Theory]
    [InlineData("storyboard", "publish")]
    [InlineData("publish", "storyboard")]
    public void A_job_is_done_when_its_last_task_is_whichever_that_is(string first, string last)
    {
        var stage = new Stage();
        stage.Join("w1", 9);
        stage.Order();
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 1, audio: false, storyboard: true));
        stage.Commit("w1", "j1/poster#1");
        stage.Commit("w1", "j1/chunk-0000#1");
        stage.Commit("w1", $"j1/{first}#1");
        stage.Restart();
        stage.Join("w1", 9, $"j1/{last}#1");
        stage.Job("j1").State.ShouldBe(JobState.Running);
        stage.Commit("w1", $"j1/{last}#1");
        stage.Sweep("j1");
        stage.Job("j1").State.ShouldBe(JobState.Done);
    }

    [Fact]
    public void A_job_that_an_older_worker_planned_has_no_storyboard_to_wait_for()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        stage.Order();
        WorkToTheEnd(stage, _ => Plan(4));
        stage.Assigned.ShouldNotContain("j1/storyboard#1");
        stage.Sweep("j1");
        stage.Job("j1").State.ShouldBe(JobState.Done);
    }

    [Fact]
    public void A_new_medias_first_picture_goes_before_the_other_chunks_of_a_long_one()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        stage.Order();
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 50, audio: false));
        stage.Commit("w1", "j1/chunk-0000#1");
        stage.Commit("w1", "j1/poster#1");
        stage.Order("j2", Other);
        stage.Commit("w1", "j1/chunk-0001#1");
        stage.Commit("w1", "j2/probe#1", Stage.Plan(chunks: 1));
        stage.Assigned.TakeLast(2).ShouldBe(["j2/probe#1", "j2/chunk-0000#1"]);
    }

    [Fact]
    public void Within_a_class_the_longest_remaining_path_goes_first()
    {
        var stage = new Stage();
        stage.Order("j1");
        stage.Order("j2", Other);
        stage.Join("w1", 1);
        WorkToTheEnd(stage, job => job == "j1" ? Plan(4, 4) : Plan(4, 8));
        Order(stage, "j2/chunk-0001").ShouldBeLessThan(Order(stage, "j1/chunk-0001"), "though j1 is older");
    }

    [Fact]
    public void Background_work_waits_for_the_other_classes()
    {
        var stage = new Stage();
        stage.Order("j1", Other, "background");
        stage.Order("j2", Third, "sd");
        stage.Order("j3", Stage.Media, "hd");
        stage.Join("w1", 1);
        WorkToTheEnd(stage, _ => Plan(4, 4));
        Order(stage, "j2/probe").ShouldBe(0, "a probe of any other class is low_latency, and the older goes first");
        Order(stage, "j3/chunk-0001").ShouldBeLessThan(Order(stage, "j2/chunk-0001"), "hd goes before sd");
        Order(stage, "j1/probe").ShouldBe(10, "everything else has gone before it");
    }

    [Fact]
    public void Background_work_does_not_starve_behind_an_endless_queue()
    {
        var stage = new Stage(new MasterOptions { QueueLimit = 100_000 });
        var session = stage.Join("w1", 1);
        stage.Order("j0000", Other);
        stage.Order("j0001", Third, "background");
        for (var i = 2; i < 200 && !stage.Assigned.Contains("j0001/probe#1"); i++)
        {
            // Every probe is followed by the order of another media: class low_latency is never empty.
            stage.Order($"j{i:D4}", $"{Stage.Media[..^4]}{i:D4}");
            stage.Pass(5);
            stage.Heartbeat(session);
            Commit(stage, stage.Assigned.Last(), _ => Plan(4));
        }

        Order(stage, "j0001/probe").ShouldBeInRange(7, 50);
    }

    [Fact]
    public void Work_spreads_over_workers_by_their_free_slots()
    {
        var stage = new Stage();
        stage.Join("w1", 2);
        stage.Join("w2", 4);
        stage.Order();
        stage.Commit("w2", "j1/probe#1", Stage.Plan(chunks: 10));
        var job = stage.Job("j1");
        job.Tasks.Count(t => t.State == TaskState.Assigned && t.NodeId == "w1").ShouldBe(2);
        job.Tasks.Count(t => t.State == TaskState.Assigned && t.NodeId == "w2").ShouldBe(4);
    }

    private static int Order(Stage stage, string task) => stage.Assigned.ToList().IndexOf($"{task}#1");

    private static PlanSummary Plan(params IEnumerable<double> chunkSeconds)
    {
        var plan = new PlanSummary { DurationSeconds = chunkSeconds.Sum() };
        plan.ChunkSeconds.Add(chunkSeconds);
        return plan;
    }

    /// <summary>The one slot's attempts are committed as they come.</summary>
    private static void WorkToTheEnd(Stage stage, Func<string, PlanSummary> planOf)
    {
        for (var done = 0; done < stage.Assigned.Count(); done++)
        {
            Commit(stage, stage.Assigned.Last(), planOf);
        }
    }

    private static void Commit(Stage stage, string attempt, Func<string, PlanSummary> planOf) => stage.Commit(
        "w1", attempt, attempt.Contains("probe", StringComparison.Ordinal) ? planOf(attempt.Split('/')[0]) : null)
        .ShouldBe("ACCEPTED");
}
