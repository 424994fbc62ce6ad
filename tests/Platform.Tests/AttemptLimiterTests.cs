using System.Net;
using Hexcast.Platform.Access;

namespace Hexcast.Platform.Tests;

public sealed class AttemptLimiterTests
{
    private static readonly AttemptLimits Limits = new()
    {
        Burst = 3,
        RefillInterval = TimeSpan.FromSeconds(10),
        OverallBurst = 5,
        OverallRefillInterval = TimeSpan.FromSeconds(1),
        Sources = 20,
    };

    private readonly AttemptLimiter limiter = new(Limits);
    private DateTimeOffset now = DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000);

    [Fact]
    public void A_source_has_its_burst_then_one_an_interval()
    {
        Takes("a", 10).ShouldBe(3);
        limiter.Wait("a", now).ShouldBe(Limits.RefillInterval);
        now += Limits.RefillInterval;
        limiter.Wait("a", now).ShouldBe(TimeSpan.Zero);
        Takes("a", 10).ShouldBe(1);
        now += TimeSpan.FromDays(1);
        Takes("a", 10).ShouldBe(3);
    }

    [Fact]
    public void One_source_costs_another_nothing_until_all_together_are_too_many()
    {
        Takes("a", 10).ShouldBe(3);
        Takes("b", 10).ShouldBe(2, "five for all together");
        limiter.Wait("c", now).ShouldBe(Limits.OverallRefillInterval);
        now += Limits.OverallRefillInterval;
        Takes("c", 10).ShouldBe(1);
    }

    [Fact]
    public void Many_sources_do_not_make_it_forget_one_that_has_nothing_left()
    {
        var patient = new AttemptLimiter(Limits with { OverallBurst = 1_000_000 });
        while (patient.TryTake("guilty", now))
        {
        }

        for (var i = 0; i < 1000; i++)
        {
            patient.TryTake($"other {i}", now);
        }

        patient.TryTake("guilty", now).ShouldBeFalse();
    }

    [Fact]
    public void A_clock_that_goes_back_gives_nothing_away()
    {
        Takes("a", 10).ShouldBe(3);
        now -= TimeSpan.FromDays(1);
        Takes("a", 10).ShouldBe(0);
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    public void Addresses_of_one_subscriber_are_one_source(string one, string other, bool same) =>
        (AttemptLimiter.Source(IPAddress.Parse(one)) == AttemptLimiter.Source(IPAddress.Parse(other))).ShouldBe(same);

    private int Takes(string source, int attempts) =>
        Enumerable.Range(0, attempts).Count(_ => limiter.TryTake(source, now));
}
