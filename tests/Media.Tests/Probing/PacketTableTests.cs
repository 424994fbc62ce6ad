using FsCheck;
using FsCheck.Fluent;
using Hexcast.Media.Probing;

namespace Hexcast.Media.Tests.Probing;

public sealed class PacketTableTests
{
    [Fact]
    public void Packets_are_put_into_the_order_in_which_they_are_shown()
    {
        var table = Parse("0,512,K_\n1536,512,__\n512,512,__\n1024,512,__\n2048,256,K_\n");

        table.Pts.ShouldBe([0, 512, 1024, 1536, 2048]);
        table.KeyframePts.ShouldBe([0, 2048]);
        table.LastDuration.ShouldBe(256);
    }

    [Fact]
    public void Packets_that_are_to_be_discarded_or_have_nothing_to_be_decoded_from_are_left_out()
    {
        // An edit list that starts within a GOP: the discarded key frame still serves the frames after it.
        Parse("-1024,512,KD\n-512,512,_D\n0,512,__\n512,512,__\n").Pts.ShouldBe([0, 512]);
        // A recording that starts within a GOP.
        Parse("0,512,__\n512,512,__\n1024,512,K_\n").Pts.ShouldBe([1024]);
    }

    [Fact]
    public void Side_data_blank_lines_second_fields_and_doubled_times_do_no_harm()
    {
        var table = Parse("7200,3600,K_,\r\n\r\n10800,N/A,__,MPEGTS Stream ID\nN/A,3600,__\n10800,3600,__\n");

        table.Pts.ShouldBe([7200, 10800]);
        table.LastDuration.ShouldBe(3600);
        table.Exact.ShouldBeFalse();
    }

    [Fact]
    public void Without_a_duration_the_last_frame_lasts_as_long_as_the_one_before_it()
    {
        Parse("0,N/A,K_\n40,N/A,__\n").LastDuration.ShouldBe(40);
        Parse("0,0,K_\n").LastDuration.ShouldBe(1);
    }

    [Theory]
    [InlineData("", MediaErrorCode.SourceNoVideo)]
    [InlineData("0,512,_D\n", MediaErrorCode.SourceNoVideo)]
    [InlineData("hello\n", MediaErrorCode.ProbeUnreadable)]
    [InlineData("1e9,1,K\n", MediaErrorCode.ProbeUnreadable)]
    [InlineData("9223372036854775807,1,K\n", MediaErrorCode.ProbeUnreadable)]
    public void What_cannot_be_used_ends_in_a_named_error(string csv, MediaErrorCode code) =>
        Should.Throw<MediaException>(() => Parse(csv)).Code.ShouldBe(code);

    [Fact]
    public void Without_times_in_the_container_the_decoder_is_asked_and_nothing_is_sought()
    {
        Parse("N/A,1,K_\nN/A,1,__\n").Exact.ShouldBeFalse();
        using var frames = new StringReader(
            "#tb 0: 1/50\n#dimensions 0: 640x360\n"
            + "0,   4,   4,   2,  472, 0x9e531c72\n0,   6,   6,   2,  472, 0xe4ca190c\n");
        var table = PacketTable.ParseFrames(frames);

        table.Exact.ShouldBeTrue();
        table.Pts.ShouldBe([4, 6]);
        table.KeyframePts.ShouldBe([4]);
        using var words = new StringReader("no frames at all\n");
        Should.Throw<MediaException>(() => PacketTable.ParseFrames(words))
            .Code.ShouldBe(MediaErrorCode.ProbeUnreadable);
    }

    [Fact]
    public void Any_text_ends_in_a_table_or_a_named_error()
    {
        var field = Gen.OneOf(
            Gen.Elements("N/A", "", "K_", "D", "-", "0", "-9223372036854775808", "4611686018427387904", "x", "\0"),
            Gen.Choose(-1000, 1000).Select(i => i.ToString()));
        var line = field.ArrayOf().Select(f => string.Join(',', f));
        var text = line.ArrayOf().Select(l => string.Join('\n', l));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(7, 9).WithQuietOnSuccess(true),
            Prop.ForAll(text.ToArbitrary(), csv =>
            {
                try
                {
                    var table = Parse(csv);
                    (table.Pts.Length > 0 || !table.Exact).ShouldBeTrue();
                    table.Pts.Zip(table.Pts.Skip(1)).ShouldAllBe(p => p.First < p.Second);
                    table.LastDuration.ShouldBeGreaterThan(0);
                }
                catch (MediaException)
                {
                }
            }));
    }

    private static PacketTable Parse(string csv)
    {
        using var reader = new StringReader(csv);
        return PacketTable.Parse(reader);
    }
}
