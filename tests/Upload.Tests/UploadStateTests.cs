namespace Hexcast.Upload.Tests;

public sealed class UploadStateTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Fact]
    public void An_older_writer_s_bytes_do_not_count()
    {
        var state = New(100);
        Grant(state);
        Grant(state);
        state.Step(new UploadEvent.BytesStored(1, 50), Start).ShouldBeEmpty();
        state.Step(new UploadEvent.BytesStored(2, 50), Start).Single().ShouldBeOfType<UploadEffect.Append>();
    }

    [Fact]
    public void The_offset_moves_only_when_the_journal_has_it()
    {
        var state = New(100);
        Grant(state);
        var append = (UploadEffect.Append)state.Step(new UploadEvent.BytesStored(1, 50), Start).Single();
        state.Offset.ShouldBe(0);
        state.Step(new UploadEvent.Journaled(append.Entry), Start);
        state.Offset.ShouldBe(50);
    }

    [Fact]
    public void An_upload_that_is_not_whole_is_not_received()
    {
        var state = New(100);
        Advance(state, 99);
        state.Step(new UploadEvent.AllStored("aa", ""), Start).ShouldBeEmpty();
        Advance(state, 100);
        state.Step(new UploadEvent.AllStored("aa", ""), Start).Single().ShouldBeOfType<UploadEffect.Append>();
    }

    [Fact]
    public void Unfinished_and_finished_uploads_expire_and_received_ones_never()
    {
        var unfinished = New(100);
        Advance(unfinished, 10);
        unfinished.Step(new UploadEvent.Swept(Day), Start + Day).ShouldBeEmpty();
        unfinished.Step(new UploadEvent.Swept(Day), Start + Day + TimeSpan.FromTicks(1)).Single()
            .ShouldBeOfType<UploadEffect.Remove>();
        unfinished.Phase.ShouldBe(UploadPhase.Removed);

        var received = New(100);
        received.Step(new UploadEvent.Journaled(JournalEntry.Receive(100, "aa", Start)), Start);
        received.Step(new UploadEvent.Swept(Day), Start + 10 * Day).ShouldBeEmpty();

        received.Step(new UploadEvent.Journaled(JournalEntry.Finish(Start)), Start);
        received.Step(new UploadEvent.Swept(Day), Start + 10 * Day).Single().ShouldBeOfType<UploadEffect.Remove>();
    }

    [Fact]
    public void A_part_that_is_shorter_than_the_journal_says_is_given_up()
    {
        var state = New(100);
        Advance(state, 50);
        state.Step(new UploadEvent.Opened(PartLength: 49), Start).Single().ShouldBeOfType<UploadEffect.Remove>();
    }

    [Fact]
    public void A_removed_upload_says_that_it_is_gone()
    {
        var state = New(100);
        state.Step(new UploadEvent.TerminationAsked(), Start);
        ((UploadEffect.Refuse)state.Step(new UploadEvent.WriterArrived(0, 10), Start).Single()).Code
            .ShouldBe("upload_gone");
        ((UploadEffect.Refuse)state.Step(new UploadEvent.TerminationAsked(), Start).Single()).Code
            .ShouldBe("upload_gone");
    }

    private static UploadState New(long length) => new(new UploadDescription
    {
        MediaId = "01k00000000000000000000000",
        Length = length,
        Resumable = true,
        CreatedAt = Start,
        Metadata = new UploadMetadata(),
    });

    private static void Grant(UploadState state) =>
        state.Step(new UploadEvent.WriterArrived(0, null), Start).Single().ShouldBeOfType<UploadEffect.Grant>();

    private static void Advance(UploadState state, long offset) =>
        state.Step(new UploadEvent.Journaled(JournalEntry.Advance(offset, Start)), Start);
}
