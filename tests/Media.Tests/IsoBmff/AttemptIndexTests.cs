using System.Text;
using Hexcast.Media.IsoBmff;

namespace Hexcast.Media.Tests.IsoBmff;

public sealed class AttemptIndexTests
{
    private static readonly string Hash = new('a', 64);

    private static readonly AttemptIndex Index = new()
    {
        Task = "encode-1",
        Attempt = 2,
        Renditions =
        [
            new RenditionIndex
            {
                Id = "h264-720", Kind = TrackKind.Video, Codec = "avc1.64001f", Width = 1280, Height = 720,
                FrameRate = 25,
                Timescale = 12_800, InitOffset = 0, InitLength = 700, InitSha256 = Hash, ObjectName = "h264-720.mp4",
                ObjectSha256 = Hash, ObjectLength = 3000, FirstSegmentNumber = 2,
                Segments =
                [
                    new SegmentIndex { Number = 2, Offset = 700, Length = 1000, Start = 51_200, Duration = 51_200 },
                    new SegmentIndex { Number = 3, Offset = 1700, Length = 1300, Start = 102_400, Duration = 512,
                        Sha256 = Hash },
                ],
            },
        ],
    };

    [Fact]
    public void An_index_survives_its_way_through_storage()
    {
        var json = Index.ToJson();

        AttemptIndex.FromJson(json).ToJson().ShouldBe(json);
        Encoding.UTF8.GetString(json).ShouldStartWith(
            """{"version":1,"task":"encode-1","attempt":2,"renditions":[{"id":"h264-720","kind":"video",""");
    }

    [Fact]
    public void An_index_that_contradicts_itself_is_refused_by_name()
    {
        var r = Index.Renditions[0];
        var s = r.Segments[1];
        RenditionIndex[] broken =
        [
            r with { Id = "../x" },
            r with { ObjectName = "a/b" },
            r with { Codec = "avc1\"" },
            r with { Timescale = 0 },
            r with { Width = 0 },
            r with { Kind = TrackKind.Audio },
            r with { InitLength = 3001 },
            r with { InitOffset = long.MaxValue },
            r with { InitSha256 = "AA" },
            r with { FirstSegmentNumber = 1 },
            r with { Segments = [] },
            r with { Segments = [r.Segments[0], s with { Number = 4 }] },
            r with { Segments = [r.Segments[0], s with { Offset = -1 }] },
            r with { Segments = [r.Segments[0], s with { Length = 1301 }] },
            r with { Segments = [r.Segments[0], s with { Start = 102_399 }] },
            r with { Segments = [r.Segments[0], s with { Duration = 0 }] },
        ];
        foreach (var one in broken)
        {
            ShouldBeRefused((Index with { Renditions = [one] }).ToJson());
        }
        ShouldBeRefused((Index with { Renditions = [r, r] }).ToJson());
        ShouldBeRefused((Index with { Renditions = [] }).ToJson());
        ShouldBeRefused((Index with { Version = 2 }).ToJson());
        ShouldBeRefused((Index with { Attempt = 0 }).ToJson());
    }

    [Fact]
    public void A_damaged_document_ends_in_an_index_or_a_named_error()
    {
        var json = Index.ToJson();
        for (var at = 0; at < json.Length; at++)
        {
            foreach (var with in "0\"}n]"u8)
            {
                var damaged = (byte[])json.Clone();
                damaged[at] = with;
                try
                {
                    AttemptIndex.FromJson(damaged).Renditions.ShouldNotBeEmpty();
                }
                catch (MediaException e)
                {
                    e.Code.ShouldBe(MediaErrorCode.IndexInvalid);
                }
            }
        }
        ShouldBeRefused("null"u8);
        ShouldBeRefused("{}"u8);
        ShouldBeRefused("""{"version":1,"task":"x","attempt":1,"renditions":[null]}"""u8);
        ShouldBeRefused("""{"version":1,"task":null,"attempt":1,"renditions":[]}"""u8);
    }

    private static void ShouldBeRefused(ReadOnlySpan<byte> json)
    {
        var copy = json.ToArray();
        Should.Throw<MediaException>(() => AttemptIndex.FromJson(copy)).Code.ShouldBe(MediaErrorCode.IndexInvalid);
    }
}
