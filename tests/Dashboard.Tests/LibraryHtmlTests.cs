using System.Net;
using System.Text.RegularExpressions;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Dashboard.Tests.Support;

namespace Hexcast.Dashboard.Tests;

/// <summary>The library as it leaves the server, before any script.</summary>
public sealed partial class LibraryHtmlTests : IAsyncLifetime
{
    private const string Hostile = "\"><script>alert(1)</script>'&amp; naïve 影片";

    private DashboardHost host = null!;

    public async ValueTask InitializeAsync() => host = await DashboardHost.StartAsync();

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task What_people_wrote_stays_text_wherever_it_stands()
    {
        host.Catalog.Put(Hostile, MediaState.Failed, m =>
        {
            m.Media.Error = new MediaError { Code = "source_not_media", Message = Hostile };
            m.Media.Tags.Add(Hostile);
        });
        var (query, tag) = (Uri.EscapeDataString("\"><script>"), Uri.EscapeDataString(Hostile));
        var html = await host.PageAsync($"/?q={query}&tag={tag}");
        html.ShouldNotContain("<script>");
        html.ShouldNotContain("alert(1)<");
        html.ShouldContain("&lt;script&gt;");
        var body = WebUtility.HtmlDecode(html);
        body.ShouldContain(Hostile);
        InlineScript().Count(html).ShouldBe(0);
        html.ShouldNotContain(" style=");
        html.ShouldNotContain("<style");
    }

    [Fact]
    public async Task Nothing_but_own_files_may_run()
    {
        using var answer = await host.Http.GetAsync("/");
        var policy = string.Join(';', answer.Headers.GetValues("Content-Security-Policy"));
        policy.ShouldContain("default-src 'none'; script-src 'self'; style-src 'self'");
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldNotContain("unsafe");
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
    }

    [Fact]
    public async Task An_empty_library_invites_the_first_upload()
    {
        var html = await host.PageAsync("/");
        html.ShouldContain("Your first video starts here");
        html.ShouldContain("href=\"/upload\"");
        html.ShouldNotContain("type=\"search\"");
    }

    [Fact]
    public async Task A_failed_media_says_why()
    {
        host.Catalog.Put("Holiday", MediaState.Failed, m =>
            m.Media.Error = new MediaError { Code = "source_no_video", Message = "The file has sound only." });
        (await host.PageAsync("/")).ShouldContain("The file has sound only.");
    }

    [Fact]
    public async Task Pages_lead_to_the_older_and_back_and_keep_the_filter()
    {
        for (var i = 0; i < 30; i++)
        {
            host.Catalog.Put($"City {i}", MediaState.Ready, m => m.Media.Tags.Add("a&b"));
        }

        var first = await host.PageAsync("/?q=city&tag=a%26b");
        Card().Count(first).ShouldBe(24);
        var next = WebUtility.HtmlDecode(Next().Match(first).Groups["href"].Value);
        next.ShouldStartWith("/?q=city&tag=a%26b&cursor=");
        var second = await host.PageAsync(next);
        Card().Count(second).ShouldBe(6);
        Next().IsMatch(second).ShouldBeFalse();
        second.ShouldContain("Newest");
        Card().Matches(first).Concat(Card().Matches(second)).Select(m => m.Value).Distinct().Count().ShouldBe(30);
    }

    [Fact]
    public async Task Nothing_found_is_not_an_empty_library()
    {
        host.Catalog.Put("City", MediaState.Ready);
        (await host.PageAsync("/?q=sea")).ShouldContain("Nothing matches");
        (await host.PageAsync("/?state=failed")).ShouldContain("Nothing matches");
        host.Catalog.LastRequest!.State.ShouldBe("failed");
    }

    [Theory]
    [InlineData(StatusCode.Unavailable, HttpStatusCode.ServiceUnavailable, "does not answer at the moment")]
    [InlineData(StatusCode.InvalidArgument, HttpStatusCode.BadRequest, "The catalogue is away.")]
    public async Task Trouble_is_told_in_words_with_its_status(StatusCode code, HttpStatusCode status, string words)
    {
        host.Catalog.Refusal = code;
        var html = await host.PageAsync("/?q=city", status);
        html.ShouldContain(words);
        html.ShouldContain("value=\"city\"");
    }

    [Fact]
    public async Task Some_cards_come_anew_by_themselves()
    {
        var one = host.Catalog.Put("One", MediaState.Processing, m => m.Fraction = 0.42).Media.MediaId;
        host.Catalog.Put("Two", MediaState.Ready);
        var html = await host.PageAsync($"/library/cards?id={one}");
        Card().Count(html).ShouldBe(1);
        html.ShouldContain("42 %");
        html.ShouldNotContain("<html");
        (await host.PageAsync("/library/cards")).ShouldNotContain("<li");
    }

    [Theory]
    [InlineData("dark", "data-theme=\"dark\"")]
    [InlineData("light", "data-theme=\"light\"")]
    [InlineData("\"><script>", null)]
    public async Task The_chosen_theme_is_in_the_first_byte(string theme, string? attribute)
    {
        using var form = new FormUrlEncodedContent([new("theme", theme), new("next", "//elsewhere.example/")]);
        using var chosen = await host.Http.PostAsync("/theme", form);
        chosen.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        chosen.Headers.Location!.OriginalString.ShouldBe("/");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("Cookie", chosen.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        using var answer = await host.Http.SendAsync(request);
        var html = await answer.Content.ReadAsStringAsync();
        if (attribute is null)
        {
            html.ShouldContain("<html lang=\"en\">");
        }
        else
        {
            html.ShouldContain(attribute);
        }
    }

    [GeneratedRegex("<script(?![^>]* src=)", RegexOptions.None, 1000)]
    private static partial Regex InlineScript();

    [GeneratedRegex("<li class=\"media\" id=\"media-[0-9a-z]{26}\"", RegexOptions.None, 1000)]
    private static partial Regex Card();

    [GeneratedRegex("pages-next\" href=\"(?<href>[^\"]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Next();
}
