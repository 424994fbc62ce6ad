using FsCheck;
using FsCheck.Fluent;
using Hexcast.Media.IsoBmff;
using Hexcast.Media.Tests.Support;

namespace Hexcast.Media.Tests.IsoBmff;

public sealed class FragmentReaderTests
{
    private static readonly MediaSample[] First =
        [Boxes.Sample(0, 2, key: true, bytes: 9), Boxes.Sample(1, 5), Boxes.Sample(2, 3, duration: 4)];
    private static readonly MediaSample[] Second = [Boxes.Sample(6, 8, key: true, bytes: 0), Boxes.Sample(7, 9)];

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public void What_our_writers_write_is_read_back_in_any_portions(int portion)
    {
        var reader = new FragmentReader();
        foreach (var part in Boxes.File(Boxes.Video(1000), First, Second).Chunk(portion))
        {
            reader.Push(part);
        }
        reader.Complete();

        var init = reader.Init!;
        (init.Kind, init.Timescale, init.Codec, init.Width, init.Height)
            .ShouldBe((TrackKind.Video, 1000, "avc1.4d400c", 320, 180));
        init.SampleDescriptions.ToArray().ShouldBe(Boxes.Video(1000).SampleDescriptions.ToArray());
        var samples = Drain(reader);
        samples.Select(s => (s.Dts, s.Pts, s.Duration, s.IsKey)).ShouldBe(
            First.Concat(Second).Select(s => (s.Dts, s.Pts, s.Duration, s.IsKey)));
        samples.SelectMany(s => s.Data.ToArray()).ShouldBe(First.Concat(Second).SelectMany(s => s.Data.ToArray()));
    }

    [Fact]
    public void Sound_is_described_by_its_own_configuration()
    {
        var reader = new FragmentReader();
        reader.Push(Boxes.File(Boxes.Audio(48_000)));

        var init = reader.Init!;
        (init.Kind, init.Codec, init.Channels, init.SampleRateHz).ShouldBe((TrackKind.Audio, "mp4a.40.2", 2, 48_000));
    }

    [Fact]
    public void Samples_come_as_soon_as_their_fragment_is_whole()
    {
        var reader = new FragmentReader();
        var file = Boxes.File(Boxes.Video(1000), First, Second);
        var second = SegmentWriter.Write(2, Second).Length;

        reader.Push(file.AsSpan(0, file.Length - second - 1));
        Drain(reader).ShouldBeEmpty();
        reader.Push(file.AsSpan(file.Length - second - 1, 1));
        Drain(reader).Count.ShouldBe(3);
    }

    [Fact]
    public void A_file_that_is_cut_off_anywhere_but_between_boxes_is_an_error()
    {
        var file = Boxes.File(Boxes.Video(1000), First);
        var ends = 0;
        for (var length = 0; length <= file.Length; length++)
        {
            var reader = new FragmentReader();
            reader.Push(file.AsSpan(0, length));
            try
            {
                reader.Complete();
                ends++;
            }
            catch (MediaException e)
            {
                e.Code.ShouldBe(MediaErrorCode.FragmentMalformed);
            }
        }
        // After moov, after styp, and at the end; not between moof and mdat.
        ends.ShouldBe(3);
    }

    [Fact]
    public void Boxes_that_are_not_known_are_skipped_however_large()
    {
        var init = InitSegmentWriter.Write(Boxes.Video(1000), 0);
        var reader = new FragmentReader();
        reader.Push(init);
        reader.Push([0, 0, 0, 1, .. "free"u8, 0, 0, 0, 0, 0, 1, 0, 16]);
        foreach (var part in new byte[65_536].Chunk(1000))
        {
            Should.Throw<MediaException>(reader.Complete);
            reader.Push(part);
        }
        reader.Complete();
        reader.Push([.. SegmentWriter.Write(1, First)]);
        Drain(reader).Count.ShouldBe(3);
    }

    [Theory]
    [InlineData("size below a header", "000000076D6F6F76")]
    [InlineData("size to the end", "000000006D646174")]
    [InlineData("media before a fragment", "000000086D646174")]
    [InlineData("fragment before a header", "000000086D6F6F66")]
    [InlineData("header of 2 GiB", "7FFFFFFF6D6F6F76")]
    [InlineData("media of 8 EiB", "000000016D6461747FFFFFFFFFFFFFFF")]
    [InlineData("negative size", "000000016D646174FFFFFFFFFFFFFFFF")]
    [InlineData("empty header", "000000086D6F6F76")]
    public void A_box_that_cannot_be_is_refused_at_once(string what, string hex) =>
        Should.Throw<MediaException>(() => new FragmentReader().Push(Convert.FromHexString(hex)), what)
            .Code.ShouldBe(MediaErrorCode.FragmentMalformed);

    [Fact]
    public void Any_bytes_end_in_samples_or_a_named_error()
    {
        var property = Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => Survives(bytes));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(5, 7).WithQuietOnSuccess(true), property);
    }

    [Fact]
    public void Damaged_files_of_the_corpus_end_in_samples_or_a_named_error()
    {
        var files = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "corpus"), "*.mp4");
        files.Length.ShouldBeGreaterThan(1);
        var random = new Random(20261122);
        foreach (var bytes in files.Select(File.ReadAllBytes))
        {
            Survives(bytes);
            for (var round = 0; round < 1500; round++)
            {
                var damaged = (byte[])bytes.Clone();
                // Mostly in the boxes at the front, where a byte means most.
                for (var i = random.Next(5); i >= 0; i--)
                {
                    var at = random.Next(random.Next(3) == 0 ? damaged.Length : Math.Min(damaged.Length, 1500));
                    damaged[at] = random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => (byte)random.Next(256) };
                }
                Survives(damaged.AsSpan(0, random.Next(4) == 0 ? random.Next(damaged.Length) : damaged.Length));
            }
        }
    }

    private static void Survives(ReadOnlySpan<byte> bytes)
    {
        var reader = new FragmentReader();
        try
        {
            reader.Push(bytes);
            reader.Complete();
        }
        catch (MediaException e)
        {
            e.Code.ShouldBe(MediaErrorCode.FragmentMalformed);
        }
    }

    private static List<MediaSample> Drain(FragmentReader reader)
    {
        var samples = new List<MediaSample>();
        while (reader.TryRead(out var sample))
        {
            samples.Add(sample);
        }
        return samples;
    }
}
