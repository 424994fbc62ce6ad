using Hexcast.App.Cli;
using Hexcast.App.Client;
using Hexcast.App.Progress;

namespace Hexcast.App.Tests;

public sealed class StageProgressTests
{
    private readonly StageProgress progress = new();

    [Fact]
    public void Video_is_the_mean_of_its_chunks_and_a_committed_one_counts_whole()
    {
        progress.Apply(Tasks(
            Task("encode_chunk", "committed"), Task("encode_chunk", "running", 0.5), Task("encode_chunk", "pending")));

        progress[Stage.Video].ShouldBe(0.5, 1e-9);
        progress[Stage.Audio].ShouldBe(0);
    }

    [Fact]
    public void A_task_that_is_tried_again_does_not_take_its_bar_back()
    {
        progress.Apply(Tasks(Task("encode_audio", "running", 0.8)));
        progress.Apply(Tasks(Task("encode_audio", "ready", 0)));

        progress[Stage.Audio].ShouldBe(0.8, 1e-9);
    }

    [Fact]
    public void The_speed_is_that_of_all_running_encoders_together()
    {
        progress.Apply(Tasks(
            Task("encode_chunk", "running", 0.5, 2.5), Task("encode_chunk", "running", 0.1, 1.5),
            Task("encode_chunk", "committed", 1, 9)));

        progress.Speed.ShouldBe(4.0);
    }

    [Fact]
    public void A_long_address_stays_whole_on_its_line()
    {
        using var words = new StringWriter();
        var address = "http://127.0.0.1:8080/watch/x?token=" + new string('a', 900);

        new Output(json: false, words).Say(address);

        words.ToString().ShouldBe(address + "\n");
    }

    [Fact]
    public void A_table_breaks_no_cell_and_aligns_what_is_two_columns_wide()
    {
        using var words = new StringWriter();
        var output = new Output(json: false, words);
        output.Words.Profile.Width = 20;
        var table = new Columns("media", "title", "state");
        table.Add("06dkbv2m5r6kzq3x0c4a8f7n9w", "映画\n[x]", "ready");

        output.Words.Write(table);

        words.ToString().ShouldBe(
            "media                       title     state\n06dkbv2m5r6kzq3x0c4a8f7n9w  映画 [x]  ready\n");
    }

    [Fact]
    public void A_source_without_sound_has_no_audio_to_wait_for()
    {
        progress.Apply(new MediaEvent(
            new MediaDocument { MediaId = "m", State = "processing", Source = new SourceFacts() }, null));

        progress.IsSilent.ShouldBeTrue();
        progress[Stage.Audio].ShouldBe(1);
        progress[Stage.Video].ShouldBe(0);
    }

    [Fact]
    public void Ready_fills_every_stage()
    {
        progress.Apply(new MediaEvent(new MediaDocument { MediaId = "m", State = "ready" }, null));

        Enum.GetValues<Stage>().ShouldAllBe(stage => progress[stage] == 1);
    }

    [Fact]
    public void A_kind_of_task_of_a_later_server_is_passed_over()
    {
        progress.Apply(Tasks(Task("captions", "running", 0.5)));

        Enum.GetValues<Stage>().ShouldAllBe(stage => progress[stage] == 0);
    }

    private static MediaEvent Tasks(params TaskFacts[] tasks) => new(null, tasks);

    private static TaskFacts Task(string kind, string state, double? fraction = null, double? speed = null) =>
        new() { TaskId = "t", Kind = kind, State = state, Fraction = fraction, Speed = speed };
}
