using Hexcast.App.Cli;

namespace Hexcast.App.Tests;

public sealed class DurationTests
{
    [Theory]
    [InlineData("45s", 45)]
    [InlineData("90m", 90 * 60)]
    [InlineData("24h", 24 * 3600)]
    [InlineData("30d", 30 * 24 * 3600)]
    public void A_number_and_a_unit_is_a_time(string text, int seconds) =>
        Duration.Parse(text).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("8")]
    [InlineData("0m")]
    [InlineData("-1h")]
    [InlineData("1.5h")]
    [InlineData("2w")]
    [InlineData("8H")]
    [InlineData("2000000000d")]
    [InlineData("99999999999s")]
    public void Anything_else_is_none(string text) => Duration.Parse(text).ShouldBeNull();
}
