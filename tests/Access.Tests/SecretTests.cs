using FsCheck;
using FsCheck.Fluent;
using Hexcast.Access.Credentials;

namespace Hexcast.Access.Tests;

public sealed class SecretTests
{
    [Fact]
    public void A_token_reads_back_as_itself()
    {
        var made = Secret.NewToken();
        made.Text.ShouldStartWith("hxc_");
        Secret.TryParseToken(made.Text, out var read).ShouldBeTrue();
        read.Id.ShouldBe(made.Id);
        read.Matches(made.Hash).ShouldBeTrue();
        Secret.IsId(made.Id).ShouldBeTrue();
    }

    [Fact]
    public void One_changed_character_makes_another_token()
    {
        var made = Secret.NewToken();
        var changed = made.Text[..^1] + (made.Text[^1] == 'a' ? 'b' : 'a');
        Secret.TryParseToken(changed, out var read).ShouldBeTrue();
        read.Matches(made.Hash).ShouldBeFalse();
        read.Id.ShouldNotBe(made.Id);
    }

    [Fact]
    public void Secrets_are_not_printed_with_what_holds_them()
    {
        var cookie = new SessionCookie("t", "s", Secret.NewSession());
        $"{cookie}".ShouldNotContain(cookie.Secret.Text);
    }

    [Fact]
    public void No_text_but_the_right_form_is_taken_and_none_breaks_the_parser() =>
        Prop.ForAll<string?>(text =>
        {
            var token = Secret.TryParseToken(text, out var secret);
            return token == (secret is not null) && (!token || text!.Length == 47)
                && !Secret.TryParseToken("hxc_" + text, out _) | (text?.Length == 43);
        }).QuickCheckThrowOnFailure();
}
