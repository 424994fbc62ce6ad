using FsCheck;
using FsCheck.Fluent;
using Hexcast.Playback.Segments;

namespace Hexcast.Playback.Tests;

public sealed class ByteRangeTests
{
    [Fact]
    public void Whatever_a_header_says_the_answer_lies_within_the_representation() =>
        Prop.ForAll(Headers().ToArbitrary(), Gen.Choose(1, 1000).ToArbitrary(), (header, length) =>
        {
            if (ByteRange.Parse(header, length) is { Status: 206 } part)
            {
                part.From.ShouldBeGreaterThanOrEqualTo(0);
                part.Count.ShouldBeGreaterThan(0);
                (part.From + part.Count).ShouldBeLessThanOrEqualTo(length);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_range_of_two_ends_is_what_lies_between_them() =>
        Prop.ForAll(
            Gen.Choose(0, 1200).ToArbitrary(),
            Gen.Choose(0, 1200).ToArbitrary(),
            Gen.Choose(1, 1000).ToArbitrary(),
            (first, last, length) =>
            {
                var expected = Enumerable.Range(0, length).Where(i => first <= i && i <= last).ToArray();
                var parsed = ByteRange.Parse($"bytes={first}-{last}", length);
                if (last < first)
                {
                    parsed.ShouldBeNull();
                }
                else if (expected.Length == 0)
                {
                    parsed!.Value.Status.ShouldBe(416);
                }
                else
                {
                    parsed.ShouldBe(new ByteRange(206, expected[0], expected.Length));
                }
            }).QuickCheckThrowOnFailure();

    private static Gen<string> Headers() =>
        from parts in Gen.Elements("bytes=", "-", ",", " ", "0", "7", "999", "99999999999999999999", "+", "x", "\t")
            .ArrayOf()
        select string.Concat(parts.Prepend("bytes="));
}
