using Google.Protobuf;
using Hexcast.Access.Credentials;
using Hexcast.Contracts.V1;

namespace Hexcast.Access.Tests;

public sealed class SessionRulesTests
{
    private static readonly TimeSpan Idle = TimeSpan.FromHours(12), Lifetime = TimeSpan.FromDays(7);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly Secret first = Secret.NewSession(), second = Secret.NewSession(), third = Secret.NewSession();
    private DateTimeOffset now = DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000);
    private AccessSession session;

    public SessionRulesTests() => session = new AccessSession
    {
        Id = Secret.NewId(),
        SecretSha256 = ByteString.CopyFrom(first.Hash),
        CreatedAtUnixMs = now.ToUnixTimeMilliseconds(),
        ChangedAtUnixMs = now.ToUnixTimeMilliseconds(),
        SeenAtUnixMs = now.ToUnixTimeMilliseconds(),
    };

    [Fact]
    public void A_young_session_is_valid_and_costs_no_write() => Judge(first).ShouldBe(SessionVerdict.Valid);

    [Fact]
    public void Use_is_noted_once_in_a_while()
    {
        Later(SessionRules.SeenCoarseness);
        Judge(first).ShouldBe(SessionVerdict.Touch);
        session = SessionRules.Touched(session, now);
        Judge(first).ShouldBe(SessionVerdict.Valid);
    }

    [Fact]
    public void Another_secret_is_wrong_however_young_the_session() =>
        Judge(second).ShouldBe(SessionVerdict.Wrong);

    [Fact]
    public void The_secret_changes_with_use_and_the_one_before_stays_good_until_the_new_one_came_back()
    {
        Later(SessionRules.ChangeAfter);
        Judge(first).ShouldBe(SessionVerdict.Change);
        session = SessionRules.Changed(session, first, second, now);

        Judge(first).ShouldBe(SessionVerdict.Valid, "a request beside it was on its way");
        Judge(second).ShouldBe(SessionVerdict.Confirm);
        session = SessionRules.Confirmed(session, now);

        Later(SessionRules.Grace - Second);
        Judge(first).ShouldBe(SessionVerdict.Valid);
        Later(Second);
        Judge(first).ShouldBe(SessionVerdict.Wrong);
        Judge(second).ShouldBe(SessionVerdict.Valid);
    }

    [Fact]
    public void Who_never_got_the_new_secret_is_given_another_and_is_not_signed_out()
    {
        Later(SessionRules.ChangeAfter);
        session = SessionRules.Changed(session, first, second, now);
        Later(SessionRules.Grace);
        Judge(first).ShouldBe(SessionVerdict.Change);
        session = SessionRules.Changed(session, first, third, now);
        Judge(first).ShouldBe(SessionVerdict.Valid);
        Judge(third).ShouldBe(SessionVerdict.Confirm);
        Judge(second).ShouldBe(SessionVerdict.Wrong, "nobody ever held it");
    }

    [Fact]
    public void A_session_that_is_not_used_ends()
    {
        Later(Idle);
        Judge(first).ShouldBe(SessionVerdict.Expired);
    }

    [Fact]
    public void A_session_ends_however_much_it_is_used()
    {
        for (var used = TimeSpan.Zero; used < Lifetime - SessionRules.SeenCoarseness; used += TimeSpan.FromHours(6))
        {
            Judge(first).ShouldNotBe(SessionVerdict.Expired);
            session = SessionRules.Touched(session, now);
            Later(TimeSpan.FromHours(6));
        }

        Judge(first).ShouldBe(SessionVerdict.Expired);
    }

    private void Later(TimeSpan by) => now += by;

    private SessionVerdict Judge(Secret shown) => SessionRules.Judge(session, shown, now, Idle, Lifetime);
}
