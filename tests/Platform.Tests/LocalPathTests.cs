using Hexcast.Platform.Access;

namespace Hexcast.Platform.Tests;

public sealed class LocalPathTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/media/06dkbv2m5r6kzq3x0c4a8f7n9w?tab=log&x=%2F%2Fevil")]
    [InlineData("/settings/tokens#new")]
    public void A_path_of_this_server_is_gone_on_to(string path) => LocalPath.OrHome(path, "/").ShouldBe(path);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("\\\\evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/a\r\nSet-Cookie: x=1")]
    [InlineData("/a b")]
    [InlineData("/ü")]
    [InlineData("/a\\b")]
    public void Anything_else_goes_home(string? path) => LocalPath.OrHome(path, "/home").ShouldBe("/home");
}
