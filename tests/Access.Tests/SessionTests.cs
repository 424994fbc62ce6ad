using System.Collections.Frozen;
using System.Net;
using System.Net.Http.Json;
using Hexcast.Access.Credentials;
using Hexcast.Access.Http;
using Hexcast.Platform.Access;

namespace Hexcast.Access.Tests;

public sealed class SessionTests : IAsyncLifetime
{
    private AccessNode node = null!;

    private string Origin => node.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);

    public async ValueTask InitializeAsync() => node = await AccessNode.StartAsync();

    public ValueTask DisposeAsync() => node.DisposeAsync();

    [Fact]
    public async Task Signing_in_gives_a_cookie_that_scripts_and_other_sites_do_not_get()
    {
        using var answer = await node.SendAsync(
            HttpMethod.Post, "/v1/session", body: JsonContent.Create(new { token = node.AdminToken }));
        var cookie = answer.Headers.GetValues("Set-Cookie").Single();
        cookie.ShouldStartWith("hexcast_session=");
        cookie.ShouldContain("httponly");
        cookie.ShouldContain("samesite=strict");
        cookie.ShouldContain("path=/");
        cookie.ShouldNotContain(node.AdminToken);
    }

    [Fact]
    public async Task Sign_ins_and_refusals_are_counted()
    {
        var before = await node.Http.GetStringAsync("/metrics");
        await node.SignInAsync(node.AdminToken);
        (await node.SendAsync(
            HttpMethod.Post, "/v1/session", body: JsonContent.Create(new { token = "hxc_wrong" }))).Dispose();
        (await node.SendAsync(HttpMethod.Get, "/read")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var after = await node.Http.GetStringAsync("/metrics");
        foreach (var series in (string[])
        [
            "access_sign_ins_total{outcome=\"ok\"}", "access_sign_ins_total{outcome=\"refused\"}",
            "access_refusals_total{code=\"unauthenticated\"}",
        ])
        {
            // Other nodes of this process count along.
            ValueOf(after, series).ShouldBeGreaterThan(ValueOf(before, series), series);
        }

        ValueOf(after, "access_sign_ins_total{outcome=\"failed\"}").ShouldBeGreaterThanOrEqualTo(0);

        static double ValueOf(string metrics, string series) => double.Parse(
            metrics.Split('\n').Single(line => line.StartsWith(series + " ", StringComparison.Ordinal))
                [(series.Length + 1)..],
            System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task What_ended_while_it_was_checked_ends_what_comes_of_it()
    {
        var authenticator = node.Get<IAuthenticator>();
        var gone = new Principal("gone", "gone", FrozenSet<Scope>.Empty, Tenant: null, SessionId: "gone");

        (await authenticator.EndOfAsync(gone, CancellationToken.None)).IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task A_form_is_sent_on_to_a_page_of_this_server_only()
    {
        (await FormAsync(node.AdminToken, "/media/x?y=1")).ShouldBe("/media/x?y=1");
        (await FormAsync(node.AdminToken, "https://evil.example/")).ShouldBe("/");
        (await FormAsync(node.AdminToken, "//evil.example")).ShouldBe("/");
        (await FormAsync("hxc_wrong", "/upload")).ShouldBe("/sign-in?failed=1&next=%2Fupload");
    }

    [Fact]
    public async Task A_stream_that_is_under_way_ends_when_its_session_signs_out_and_no_other()
    {
        var (token, _) = await node.MakeAsync("read");
        var (cookie, other) = (await node.SignInAsync(token), await node.SignInAsync(token));
        var (ending, staying) = (await FollowAsync(cookie), await FollowAsync(other));
        (await node.SendAsync(
            HttpMethod.Delete, "/v1/session", headers: [("Cookie", cookie), ("Sec-Fetch-Site", "same-origin")]))
            .StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await ShouldBeCutAsync(ending);
        staying.IsCompleted.ShouldBeFalse();
        (await node.SendAsync(HttpMethod.Get, "/read", headers: ("Cookie", other)))
            .StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_stream_is_no_use_of_its_session_and_ends_with_it()
    {
        var cookie = await node.SignInAsync(node.AdminToken);
        var following = await FollowAsync(cookie);
        node.Clock.Advance(TimeSpan.FromHours(12));
        await node.Get<Sessions>().SweepAsync(TestContext.Current.CancellationToken);
        await ShouldBeCutAsync(following);
        // By which the page knows that it must ask who is there.
        (await node.SendAsync(HttpMethod.Get, "/stream", headers: ("Cookie", cookie)))
            .StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    // What is read once the stream has begun; faulted when the server breaks it off.
    private async Task<Task<string>> FollowAsync(string session)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/stream");
        request.Headers.Add("Cookie", session);
        var answer = await node.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        (await reader.ReadLineAsync()).ShouldBe("here");
        return reader.ReadToEndAsync();
    }

    private static async Task ShouldBeCutAsync(Task<string> following)
    {
        var cut = await Record.ExceptionAsync(() => following.WaitAsync(TimeSpan.FromSeconds(30)));
        cut.ShouldNotBeNull();
        cut.ShouldNotBeOfType<TimeoutException>();
    }

    [Fact]
    public async Task Another_sites_page_cannot_sign_in_change_anything_or_sign_out()
    {
        var cookie = await node.SignInAsync(node.AdminToken);
        (string, string)[][] foreign =
        [
            [("Origin", "https://evil.example")],
            [("Origin", "null")],
            [("Sec-Fetch-Site", "cross-site")],
            [("Sec-Fetch-Site", "same-site"), ("Origin", Origin)],
            [("Sec-Fetch-Site", "none")],
        ];
        foreach (var headers in foreign)
        {
            await AccessNode.ShouldBeAsync(
                await node.SendAsync(HttpMethod.Post, "/change/1", headers: [("Cookie", cookie), .. headers]),
                403, "cross_site");
            await AccessNode.ShouldBeAsync(
                await node.SendAsync(
                    HttpMethod.Post, "/v1/session", body: JsonContent.Create(new { token = node.AdminToken }),
                    headers: headers),
                403, "cross_site");
            await AccessNode.ShouldBeAsync(
                await node.SendAsync(HttpMethod.Post, "/sign-out", headers: [("Cookie", cookie), .. headers]),
                403, "cross_site");
        }

        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Post, "/change/1", headers: ("Cookie", cookie)), 403, "cross_site");
        (string, string)[][] own = [[("Origin", Origin)], [("Sec-Fetch-Site", "same-origin")]];
        foreach (var headers in own)
        {
            using var answer = await node.SendAsync(
                HttpMethod.Post, "/change/1", headers: [("Cookie", cookie), .. headers]);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        // A token is no cookie: no browser adds it by itself.
        using var bearer = await node.SendAsync(
            HttpMethod.Post, "/change/1", node.AdminToken, headers: ("Origin", "https://evil.example"));
        bearer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_secret_changes_with_use_and_parallel_requests_sign_nobody_out()
    {
        var cookie = await node.SignInAsync(node.AdminToken);
        node.Clock.Advance(SessionRules.ChangeAfter);
        var answers = await Task.WhenAll(Enumerable.Range(0, 16)
            .Select(_ => node.SendAsync(HttpMethod.Get, "/read", headers: ("Cookie", cookie))));
        answers.ShouldAllBe(answer => answer.StatusCode == HttpStatusCode.OK);
        var changed = answers.Select(AccessNode.CookieOf).OfType<string>().Single();
        changed.ShouldNotBe(cookie);

        (await StatusAsync(cookie)).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(changed)).ShouldBe(HttpStatusCode.OK);
        node.Clock.Advance(SessionRules.Grace);
        (await StatusAsync(cookie)).ShouldBe(HttpStatusCode.Unauthorized);
        (await StatusAsync(changed)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_session_that_changed_outlives_a_restart_in_between()
    {
        var cookie = await node.SignInAsync(node.AdminToken);
        node.Clock.Advance(SessionRules.ChangeAfter);
        string? changed;
        using (var answer = await node.SendAsync(HttpMethod.Get, "/read", headers: ("Cookie", cookie)))
        {
            changed = AccessNode.CookieOf(answer);
        }

        await node.RestartAsync();
        (await StatusAsync(cookie)).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(changed!)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_session_that_nobody_uses_ends()
    {
        var cookie = await node.SignInAsync(node.AdminToken);
        node.Clock.Advance(TimeSpan.FromHours(12));
        await AccessNode.ShouldBeAsync(
            await node.SendAsync(HttpMethod.Get, "/read", headers: ("Cookie", cookie)), 401, "credential_expired");
    }

    [Fact]
    public async Task Signing_out_ends_the_session_for_whoever_copied_the_cookie()
    {
        var cookie = await node.SignInAsync(node.AdminToken);
        using (var answer = await node.SendAsync(
            HttpMethod.Delete, "/v1/session", headers: [("Cookie", cookie), ("Origin", Origin)]))
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
            answer.Headers.GetValues("Set-Cookie").Single().ShouldContain("max-age=0");
        }

        (await StatusAsync(cookie)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Guessing_is_slowed_down_for_its_address_and_a_right_token_is_still_let_in()
    {
        for (var i = 0; i < SessionEndpoints.SignInLimits.Burst; i++)
        {
            await AccessNode.ShouldBeAsync(await SignInAsync("hxc_wrong"), 401, "credential_invalid");
        }

        using (var limited = await SignInAsync(node.AdminToken))
        {
            limited.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
            await AccessNode.ShouldBeAsync(limited, 429, "too_many_attempts");
        }

        (await FormAsync("hxc_wrong", "/")).ShouldBe("/sign-in?limited=1&next=%2F");
        (await node.SendAsync(HttpMethod.Get, "/read", node.AdminToken)).StatusCode.ShouldBe(HttpStatusCode.OK);
        node.Clock.Advance(SessionEndpoints.SignInLimits.RefillInterval);
        (await SignInAsync(node.AdminToken)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Wrong_tokens_are_slowed_down_too_and_never_cost_a_right_one()
    {
        var codes = new List<HttpStatusCode>();
        for (var i = 0; i < 40; i++)
        {
            using var answer = await node.SendAsync(HttpMethod.Get, "/read", Secret.NewToken().Text);
            codes.Add(answer.StatusCode);
        }

        codes[0].ShouldBe(HttpStatusCode.Unauthorized);
        codes[^1].ShouldBe(HttpStatusCode.TooManyRequests);
        (await node.SendAsync(HttpMethod.Get, "/read", node.AdminToken)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_page_sends_who_is_not_signed_in_to_the_form_and_back()
    {
        using var answer = await node.SendAsync(HttpMethod.Get, "/page?a=1&b=/x");
        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        answer.Headers.Location!.ToString().ShouldBe("/sign-in?next=%2Fpage%3Fa%3D1%26b%3D%2Fx");
        answer.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("default-src 'none'");

        var (uploader, _) = await node.MakeAsync("upload");
        var cookie = await node.SignInAsync(uploader);
        using var denied = await node.SendAsync(HttpMethod.Get, "/page", headers: ("Cookie", cookie));
        denied.Headers.Location!.ToString().ShouldBe("/sign-in?denied=1&next=%2Fpage");
    }

    [Fact]
    public async Task An_open_door_knows_who_comes_and_minds_no_bad_credential()
    {
        (await OpenAsync()).ShouldBe("nobody");
        (await OpenAsync(("Authorization", "Bearer hxc_wrong"))).ShouldBe("nobody");
        (await OpenAsync(("Cookie", "hexcast_session=a.b.c"))).ShouldBe("nobody");
        (await OpenAsync(("Cookie", await node.SignInAsync(node.AdminToken)))).ShouldBe("admin.token of local");
    }

    [Fact]
    public async Task A_proxys_own_scheme_leaves_the_cookie_in_force()
    {
        var cookie = await node.SignInAsync(node.AdminToken);
        using var answer = await node.SendAsync(
            HttpMethod.Get, "/read", headers: [("Cookie", cookie), ("Authorization", "Basic dXNlcjpwYXNz")]);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private Task<HttpResponseMessage> SignInAsync(string token) =>
        node.SendAsync(HttpMethod.Post, "/v1/session", body: JsonContent.Create(new { token }));

    private async Task<string> FormAsync(string token, string next)
    {
        using var answer = await node.SendAsync(HttpMethod.Post, "/v1/session", body: new FormUrlEncodedContent(
            [new("token", token), new("next", next)]));
        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        return answer.Headers.Location!.OriginalString;
    }

    private async Task<HttpStatusCode> StatusAsync(string cookie)
    {
        using var answer = await node.SendAsync(HttpMethod.Get, "/read", headers: ("Cookie", cookie));
        return answer.StatusCode;
    }

    private async Task<string> OpenAsync(params (string, string)[] headers)
    {
        using var answer = await node.SendAsync(HttpMethod.Get, "/open", headers: headers);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await answer.Content.ReadAsStringAsync();
    }
}
