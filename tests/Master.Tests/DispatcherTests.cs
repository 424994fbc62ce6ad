using System.Diagnostics;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
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

    [Fact]
    public void Tenants_share_a_node_by_their_weights()
    {
        var stage = new Stage(new MasterOptions { QueueLimit = 10_000 });
        stage.Set((SettingRules.TenantWeights + "large", "3"));
        stage.Join("w1", 1);
        for (var i = 0; i < 80; i++)
        {
            Schedule(stage, $"a{i:D4}", "small");
            Schedule(stage, $"b{i:D4}", "large");
        }

        for (var done = 0; done < 80; done++)
        {
            Commit(stage, stage.Assigned.Last(), _ => Plan(4));
        }

        stage.Assigned.Take(80).Count(a => a[0] == 'b').ShouldBeInRange(58, 62, "three of four");
    }

    [Fact]
    public void A_tenant_that_comes_late_has_saved_nothing_up()
    {
        var stage = new Stage(new MasterOptions { QueueLimit = 10_000 });
        stage.Join("w1", 1);
        for (var i = 0; i < 100; i++)
        {
            Schedule(stage, $"a{i:D4}", "early");
        }

        for (var done = 0; done < 40; done++)
        {
            Commit(stage, stage.Assigned.Last(), _ => Plan(4));
        }

        for (var i = 0; i < 40; i++)
        {
            Schedule(stage, $"b{i:D4}", "late");
        }

        for (var done = 0; done < 20; done++)
        {
            Commit(stage, stage.Assigned.Last(), _ => Plan(4));
        }

        stage.Assigned.TakeLast(20).Count(a => a[0] == 'b').ShouldBeInRange(9, 11);
    }

    [Fact]
    public void A_tenants_share_does_not_put_its_lower_class_before_anothers_higher_one()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        Schedule(stage, "a1", "small");
        Schedule(stage, "a2", "small", "sd");
        Schedule(stage, "b1", "large");
        Schedule(stage, "b2", "large");
        Schedule(stage, "b3", "large");
        for (var done = 0; done < 4; done++)
        {
            Commit(stage, stage.Assigned.Last(), _ => Plan(4));
        }

        stage.Assigned.Last().ShouldBe("a2/chunk-0000#1");
    }

    [Fact]
    public void What_a_jobs_own_chunks_take_decides_how_long_its_path_is()
    {
        var stage = new Stage();
        stage.Order("j1");
        stage.Order("j2", Other);
        stage.Join("w1", 1);
        for (var done = 0; !stage.Assigned.Contains("j2/chunk-0000#1") || done < 6; done++)
        {
            var task = stage.Assigned.Last();
            var isProbe = task.Contains("probe", StringComparison.Ordinal);
            // Chunks of the same length, but the younger job's take ten times as long.
            stage.Commit("w1", task, isProbe ? Plan(4, 4, 4) : null, wallSeconds: task[1] == '1' ? 1 : 10);
        }

        stage.Assigned.Select(a => a.Split('#')[0]).First(a => a.Contains("-0001", StringComparison.Ordinal))
            .ShouldBe("j2/chunk-0001");
    }

    [Theory]
    [InlineData(0.1, "chunk")]
    [InlineData(40, "sound")]
    public void What_is_learned_of_speeds_moves_jobs_that_wait_already(double wallSeconds, string first)
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        for (var i = 0; i < 30; i++)
        {
            Schedule(stage, $"other{i:D2}", "default", task: new OneTask { MediaSeconds = 4, Audio = new AudioWork() });
        }

        // Sound is taken for fast, so this chunk has the longer path, unless sound turns out to be slow.
        Schedule(stage, "sound", "default", "sd", new OneTask { MediaSeconds = 40, Audio = new AudioWork() });
        Schedule(stage, "chunk", "default", "sd", new OneTask { MediaSeconds = 4, Chunk = new ChunkWork() });
        for (var i = 0; i < 30; i++)
        {
            stage.Commit("w1", stage.Assigned.Last(), wallSeconds: wallSeconds).ShouldBe("ACCEPTED");
        }

        stage.Assigned.Last().ShouldStartWith(first);
    }

    [Fact]
    public void A_long_queue_costs_a_step_little_more_than_a_short_one()
    {
        var few = FastestCyclesWith(50);
        var many = FastestCyclesWith(50_000);
        TestContext.Current.TestOutputHelper!.WriteLine($"{few} and {many}");
        many.ShouldBeLessThan(20 * few, "to look through a queue a thousand times as long takes as much longer");
    }

    [Fact]
    public void A_node_that_none_of_a_long_queue_can_use_costs_a_step_little_more_than_with_a_short_one()
    {
        var few = FastestLooksWith(50);
        var many = FastestLooksWith(50_000);
        TestContext.Current.TestOutputHelper!.WriteLine($"{few} and {many}");
        many.ShouldBeLessThan(20 * few, "to try each task in turn takes a thousand times as long");
    }

    private static TimeSpan FastestCyclesWith(int jobs)
    {
        var (core, now) = Queued(jobs, new NodeLabels());
        return Fastest(i =>
        {
            core.Step(Task(jobs + i), now);
            core.Step(
                new AttemptReported(1, new ReportStatusRequest
                {
                    NodeId = "w1",
                    Attempt = new AttemptRef { JobId = $"k{i:D6}", TaskId = "chunk-0000", Attempt = 1 },
                    Fence = 7,
                    // Each time something new is learned about speeds.
                    Commit = new TaskCommit
                    {
                        Result = new ObjectRef(), MediaSeconds = 4, WallSeconds = i % 2 == 0 ? 1 : 40,
                    },
                }),
                now).OfType<Send>().Count().ShouldBe(1);
        });
    }

    private static TimeSpan FastestLooksWith(int jobs)
    {
        var (core, now) = Queued(jobs, new NodeLabels { Codecs = { "aac" } });
        var sd = new NodeLabels { Classes = { "sd" } };
        core.Step(new WorkerJoined(2, new WorkerHello { NodeId = "w2", Slots = 1, Labels = sd }), now);
        return Fastest(_ => core.Step(new WorkerHeard(1, new WorkerHeartbeat()), now).ShouldBeEmpty());
    }

    /// <summary>Tasks of class hd, and beside a node that stops one with room.</summary>
    private static (SchedulerCore Core, DateTimeOffset Now) Queued(int jobs, NodeLabels labels)
    {
        var core = new SchedulerCore(new MasterOptions { QueueLimit = 100_000 }, fence: 7);
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        core.Step(new Loaded([], []), now);
        core.Step(new WorkerJoined(3, new WorkerHello { NodeId = "w0", Slots = 1, Leaving = true }), now);
        core.Step(new WorkerJoined(1, new WorkerHello { NodeId = "w1", Slots = 1, Labels = labels }), now);
        for (var i = 0; i < jobs; i++)
        {
            core.Step(Task(i), now);
        }

        return (core, now);
    }

    private static TaskOrdered Task(int number) => new(1, $"k{number:D6}", new ScheduleTaskRequest
    {
        RequestId = $"{number}", MediaId = Stage.Media, SourceKey = "s", Class = "hd", Tenant = "default",
        Task = new OneTask { MediaSeconds = 4, Chunk = new ChunkWork() },
    });

    /// <summary>Of fifty in a row; so what else runs on the machine does not count.</summary>
    private static TimeSpan Fastest(Action<int> once)
    {
        var fastest = TimeSpan.MaxValue;
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < 1_000; i++)
        {
            once(i);
            if (i % 50 == 49)
            {
                var took = Stopwatch.GetElapsedTime(began);
                fastest = took < fastest ? took : fastest;
                began = Stopwatch.GetTimestamp();
            }
        }

        return fastest;
    }

    private static void Schedule(
        Stage stage, string job, string tenant, string jobClass = "hd", OneTask? task = null) => stage.Ask(
            $"schedule {job}",
            number => new TaskOrdered(number, job, new ScheduleTaskRequest
            {
                RequestId = job, MediaId = Stage.Media, SourceKey = $"sources/{Stage.Media}", Class = jobClass,
                Tenant = tenant, Task = task ?? new OneTask { MediaSeconds = 4, Chunk = new ChunkWork() },
            })).ShouldBe(nameof(ScheduleTaskResponse));

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
