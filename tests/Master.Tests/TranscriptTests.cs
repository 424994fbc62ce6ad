using System.Runtime.CompilerServices;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>
/// Whole stories, word for word: what the scheduler does at each event, in order. The files beside this one are read by
/// people; HEXCAST_REWRITE_GOLDEN=1 writes them anew.
/// </summary>
public sealed class TranscriptTests
{
    [Fact]
    public void A_job_goes_from_the_order_to_done()
    {
        var stage = new Stage();
        var worker = stage.Join("w1", 2);
        stage.Order();
        stage.Watch("j1");
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 3));
        stage.Pass(1);
        stage.Heartbeat(worker, "j1/chunk-0000#1", "j1/audio#1");
        stage.Commit("w1", "j1/audio#1");
        stage.Commit("w1", "j1/chunk-0000#1");
        stage.Commit("w1", "j1/poster#1");
        stage.Commit("w1", "j1/chunk-0001#1");
        stage.Commit("w1", "j1/chunk-0002#1");
        stage.Commit("w1", "j1/publish#1");
        Check(stage);
    }

    [Fact]
    public void A_task_that_fails_three_times_fails_its_job_which_a_person_retries()
    {
        var stage = new Stage();
        stage.Join("w1", 3);
        stage.Order();
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 1));
        stage.Fail("w1", "j1/chunk-0000#1");
        stage.Pass(1);
        stage.Fail("w1", "j1/chunk-0000#2");
        stage.Pass(2);
        stage.Fail("w1", "j1/chunk-0000#3");
        stage.Fail("w1", "j1/audio#1", "cancelled");
        stage.Fail("w1", "j1/poster#1", "cancelled");
        stage.Sweep("j1");
        stage.Ask("retry j1", request => new RetryOrdered(request, "j1"));
        Check(stage);
    }

    [Fact]
    public void A_lost_workers_tasks_go_to_others_and_its_late_commit_still_wins()
    {
        var stage = new Stage();
        var first = stage.Join("w1", 1);
        stage.Order();
        stage.Leave(first);
        stage.Join("w2", 1);
        stage.Pass(2);
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 1));
        stage.Fail("w2", "j1/probe#2", "cancelled");
        Check(stage);
    }

    [Fact]
    public void A_new_master_adopts_what_workers_claim_and_gives_the_rest_out_again()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        stage.Join("w2", 1);
        stage.Order();
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 2));
        stage.Restart();
        stage.Join("w1", 1, "j1/chunk-0000#1");
        stage.Pass(4);
        stage.Commit("w1", "j1/chunk-0000#1");
        stage.Join("w2", 1);
        Check(stage);
    }

    [Fact]
    public void A_deleted_medias_job_is_cancelled_then_forgotten()
    {
        var stage = new Stage();
        stage.Join("w1", 2);
        stage.Order();
        stage.Watch("j1");
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 1));
        stage.Ask("forget the media", request => new ForgetOrdered(request, Stage.Media));
        stage.Fail("w1", "j1/chunk-0000#1", "cancelled");
        stage.Commit("w1", "j1/audio#1");
        stage.Sweep("j1");
        Check(stage);
        stage.Disk.ShouldBeEmpty();
    }

    private static void Check(Stage stage, [CallerMemberName] string story = "", [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "Transcripts", $"{story}.txt");
        if (Environment.GetEnvironmentVariable("HEXCAST_REWRITE_GOLDEN") == "1")
        {
            File.WriteAllText(path, stage.Script);
        }

        stage.Script.ShouldBe(File.Exists(path) ? File.ReadAllText(path) : $"there is no {path}");
    }
}
