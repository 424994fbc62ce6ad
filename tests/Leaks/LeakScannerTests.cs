using System.Text;

namespace Hexcast.Leaks;

/// <summary>The search finds what it is for; otherwise that it finds nothing would mean nothing.</summary>
public sealed class LeakScannerTests
{
    private const string Secret = "k3y/with+signs==and-length";

    [Theory]
    [InlineData("""{"message":"signed with k3y/with+signs==and-length"}""")]
    [InlineData("""{"url":"/x?key=k3y%2Fwith%2Bsigns%3D%3Dand-length"}""")]
    public void A_noted_secret_is_found_in_every_spelling(string line) =>
        new LeakScanner([Secret]).Scan("log", [line]).ShouldHaveSingleItem().ShouldStartWith("log:1: ");

    [Fact]
    public void A_noted_secret_is_found_as_base64() => new LeakScanner([Secret])
        .Scan("log", [$"basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret))}"]).ShouldHaveSingleItem();

    [Fact]
    public void The_signature_of_a_token_is_found_alone() =>
        new LeakScanner(["head.body.0123456789abcdefghijklmnop"])
            .Scan("spans", ["sig 0123456789abcdefghijklmnop"]).ShouldHaveSingleItem();

    [Theory]
    [InlineData("GET /play/x/1.m4s?token=abc")]
    [InlineData("Authorization: Bearer 0123456789")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjF9.c2ln")]
    [InlineData("token hxc_0123456789abcdef was refused")]
    [InlineData("cookie hexcast_session=0123456789")]
    [InlineData("-----BEGIN EC PRIVATE KEY-----")]
    public void What_has_the_form_of_a_credential_is_found_without_being_noted(string line) =>
        new LeakScanner([]).Scan("log", [line]).ShouldNotBeEmpty();

    [Theory]
    [InlineData("GET /play/x/1.m4s?token=[redacted]")]
    [InlineData("Bearer [redacted]")]
    [InlineData("the token has expired")]
    public void What_is_redacted_is_no_find(string line) =>
        new LeakScanner([Secret]).Scan("log", [line]).ShouldBeEmpty();

    [Fact]
    public void The_admin_token_may_be_shown_once_in_the_words_of_the_first_start_and_nowhere_else()
    {
        var token = "hxc_" + new string('a', 43);
        var first = $"hexcast: sign in with the admin token {token} (shown this once; it is kept in /data/admin.token)";
        var (scanner, showing) = (new LeakScanner([token]), new FirstShowing());
        Scan($"sign in with {token}").ShouldNotBeEmpty();
        Scan($"{first} {token}").ShouldNotBeEmpty();
        Scan(first).ShouldBeEmpty();
        Scan(first).ShouldNotBeEmpty("a second time");

        IEnumerable<string> Scan(string line) => scanner.Scan("words", [showing.Without(line)]);
    }

    [Fact]
    public void A_report_does_not_repeat_the_secret() =>
        new LeakScanner([Secret]).Scan("log", [$"a {Secret} b"]).ShouldAllBe(find => !find.Contains(Secret));
}
