using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>Where tasks run: each criterion by itself.</summary>
public sealed class PlacementTests
{
    private const long Gigabyte = 1L << 30;

    [Fact]
    public void Of_equal_nodes_the_one_with_more_free_slots_is_taken()
    {
        var stage = new Stage();
        Join(stage, "w1", slots: 2);
        Join(stage, "w2", slots: 3);
        Order(stage, "a");
        Order(stage, "b");
        Order(stage, "c");
        NodesOf(stage).ShouldBe(["w2", "w1", "w2"]);
    }

    [Fact]
    public void A_node_whose_processors_other_work_keeps_busy_counts_for_less()
    {
        var stage = new Stage();
        Join(stage, "w1", slots: 3, cpuLoad: 3);
        Join(stage, "w2", slots: 2, cpuLoad: 0.5);
        Order(stage, "a");
        NodesOf(stage).ShouldBe(["w2"]);
    }

    [Fact]
    public void Only_a_node_that_has_the_memory_is_taken_and_what_it_was_just_given_is_counted()
    {
        var stage = new Stage();
        var small = Join(stage, "w1", slots: 9, memory: 2 * Gigabyte);
        Join(stage, "w2", slots: 2, memory: 5 * Gigabyte);
        var needs = new TaskNeeds { MemoryBytes = 2 * Gigabyte + 1 };
        Order(stage, "a", needs);
        Order(stage, "b", needs);
        NodesOf(stage).ShouldBe(["w2", "w2"]);
        Order(stage, "c", needs).ShouldBe("", "but it waits");
        Order(stage, "d", new TaskNeeds { MemoryBytes = Gigabyte }).ShouldBe("w1");
        Load(stage, small, 2 * Gigabyte, 9 * Gigabyte);
        Order(stage, "e", new TaskNeeds { MemoryBytes = Gigabyte + 1 }).ShouldBe("", "a gigabyte is promised to d");
    }

    [Fact]
    public void Only_a_node_that_has_the_scratch_disk_is_taken_and_the_task_waits_for_space()
    {
        var stage = new Stage();
        var session = Join(stage, "w1", slots: 1, scratch: Gigabyte);
        Order(stage, "a", new TaskNeeds { ScratchBytes = 2 * Gigabyte }).ShouldBe("");
        Load(stage, session, 9 * Gigabyte, 3 * Gigabyte);
        NodesOf(stage).ShouldBe(["w1"]);
    }

    [Fact]
    public void An_estimate_keeps_a_task_from_a_busy_node_but_not_from_an_idle_one()
    {
        var stage = new Stage();
        var session = Join(stage, "w1", slots: 3, memory: 400L << 20);
        stage.Order();
        stage.Commit("w1", "j1/probe#1", Large());
        stage.Assigned.ShouldContain("j1/chunk-0000#1", "nobody else could, and it is only an estimate");
        stage.Assigned.ShouldNotContain("j1/chunk-0001#1");
        Load(stage, session, 9 * Gigabyte, 9 * Gigabyte, "j1/chunk-0000#1", "j1/poster#1");
        stage.Assigned.ShouldContain("j1/chunk-0001#1");
    }

    [Fact]
    public void A_node_serves_only_its_classes()
    {
        var stage = new Stage();
        stage.Pass(9);
        Join(stage, "w1", slots: 9, classes: ["background"]);
        Order(stage, "a").ShouldBe("resource_exhausted");
        Order(stage, "b", jobClass: "background").ShouldBe("w1");
        Join(stage, "w2", slots: 1, classes: ["hd", "low_latency"]);
        Order(stage, "a").ShouldBe("w2");
    }

    [Fact]
    public void A_node_is_given_only_what_it_can_encode_and_one_that_does_not_say_is_taken_for_able()
    {
        var stage = new Stage();
        stage.Pass(9);
        Join(stage, "w1", slots: 9, codecs: ["aac", "h264"]);
        Order(stage, "a", new TaskNeeds { Codecs = { "hevc" } }).ShouldBe("resource_exhausted");
        Join(stage, "w2", slots: 1, codecs: ["h264", "hevc"]);
        Order(stage, "b", new TaskNeeds { Codecs = { "hevc" } }).ShouldBe("w2");
        Join(stage, "w3", slots: 1);
        Order(stage, "c", new TaskNeeds { Codecs = { "av1" } }).ShouldBe("w3");
    }

    [Fact]
    public void A_task_that_asks_for_a_zone_runs_there_or_waits()
    {
        var stage = new Stage();
        Join(stage, "w1", slots: 9, zone: "south");
        Join(stage, "w2", slots: 1, zone: "north");
        Order(stage, "a", new TaskNeeds { Zone = "north" }).ShouldBe("w2");
        Order(stage, "b", new TaskNeeds { Zone = "north" }).ShouldBe("");
    }

    [Fact]
    public void A_task_goes_where_its_source_lies_then_near_by_then_wherever_there_is_room()
    {
        var stage = new Stage();
        Join(stage, "near", slots: 3, zone: "north");
        Join(stage, "far", slots: 2, zone: "south");
        Join(stage, "there", slots: 3, zone: "north");
        string[] placed = [.. Enumerable.Range(0, 4).Select(i => Order(stage, $"{i}", sourceNode: "there"))];
        placed.ShouldBe(
            ["there", "near", "there", "near"], "to have the source is worth two free slots, to be near it one");
        Order(stage, "x", sourceNode: "gone").ShouldBe("far", "of which nothing is known");
    }

    [Fact]
    public void A_node_that_has_worked_on_a_job_is_preferred_for_its_other_tasks()
    {
        var stage = new Stage();
        Join(stage, "w1", slots: 1);
        Join(stage, "w2", slots: 1);
        stage.Order();
        Node(stage, "j1").ShouldBe("w1");
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 1, audio: false));
        stage.Job("j1").Tasks.Single(t => t.TaskId == "chunk-0000").NodeId.ShouldBe("w1");
    }

    [Fact]
    public void What_no_node_can_take_now_does_not_stand_in_the_way_of_others()
    {
        var stage = new Stage();
        Join(stage, "w1", slots: 9, zone: "south");
        Join(stage, "w2", slots: 1, zone: "north");
        for (var i = 0; i < 300; i++)
        {
            Order(stage, $"north{i}", new TaskNeeds { Zone = "north" });
        }

        Order(stage, "any").ShouldBe("w1");
    }

    [Fact]
    public void An_order_that_no_node_could_ever_run_is_refused_and_one_before_any_node_is_there_waits()
    {
        var stage = new Stage();
        stage.Pass(9);
        stage.Order("j1").ShouldBe("j1");
        Join(stage, "w1", slots: 1, codecs: ["hevc"]);
        stage.Order("j2", "01jdf3k5v8e9x2m4n6p8q0zzzz");
        stage.Answers[^1].Refusal.ShouldBe("resource_exhausted");
        Join(stage, "w2", slots: 1, codecs: ["aac", "h264"]);
        stage.Order("j2", "01jdf3k5v8e9x2m4n6p8q0zzzz").ShouldBe("j2");
    }

    private static PlanSummary Large()
    {
        var plan = Stage.Plan(chunks: 3, audio: false);
        (plan.SourceWidth, plan.SourceHeight, plan.SourceFrameRate) = (3840, 2160, 30);
        plan.Renditions.Add(new PlannedRendition { Id = "h264-2160", Width = 3840, Height = 2160 });
        return plan;
    }

    private static long Join(
        Stage stage, string node, int slots, string zone = "", double cpuLoad = 0, long memory = 64 * Gigabyte,
        long scratch = 64 * Gigabyte, string[]? codecs = null, string[]? classes = null)
    {
        var hello = new WorkerHello { NodeId = node, Slots = slots, Labels = new NodeLabels { Zone = zone } };
        hello.Labels.Codecs.Add(codecs ?? []);
        hello.Labels.Classes.Add(classes ?? []);
        var session = stage.Join(hello);
        stage.Tell(session, new WorkerHeartbeat
        {
            CpuLoad = cpuLoad, MemoryFreeBytes = memory, MemoryTotalBytes = memory, ScratchFreeBytes = scratch,
        });
        return session;
    }

    private static void Load(Stage stage, long session, long memory, long scratch, params string[] running)
    {
        var beat = new WorkerHeartbeat
        {
            MemoryFreeBytes = memory, MemoryTotalBytes = 64 * Gigabyte, ScratchFreeBytes = scratch,
        };
        beat.Tasks.Add(running.Select(r => new TaskProgress
        {
            Attempt = new AttemptRef { JobId = r.Split('/')[0], TaskId = r.Split('/', '#')[1], Attempt = 1 },
        }));
        stage.Tell(session, beat);
    }

    /// <summary>The node that the task went to; empty: it waits; or the code of a refusal.</summary>
    private static string Order(
        Stage stage, string request, TaskNeeds? needs = null, string jobClass = "hd", string sourceNode = "")
    {
        var answer = stage.Ask($"schedule {request}", number => new TaskOrdered(number, $"k-{request}",
            new ScheduleTaskRequest
            {
                RequestId = request, MediaId = Stage.Media, SourceKey = $"sources/{Stage.Media}", Class = jobClass,
                Tenant = "default", SourceNode = sourceNode,
                Task = new OneTask { Needs = needs, Poster = new PosterWork() },
            }));
        return answer == nameof(ScheduleTaskResponse) ? Node(stage, $"k-{request}") : answer;
    }

    private static string Node(Stage stage, string job) => stage.Job(job).Tasks.Single().NodeId;

    private static IEnumerable<string> NodesOf(Stage stage) => stage.Sent.Where(s => s.Message.Assign is not null)
        .Select(s => Node(stage, s.Message.Assign.Attempt.JobId));
}
