using System.Net;
using Hexcast.Dashboard.Tests.Support;

namespace Hexcast.Dashboard.Tests;

/// <summary>What fails is a page for people and problem details for programs.</summary>
public sealed class ProblemPageTests : IAsyncLifetime
{
    private DashboardHost host = null!;

    public async ValueTask InitializeAsync() => host = await DashboardHost.StartAsync();

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Theory]
    [InlineData("/libary", 404, "There is no such page")]
    [InlineData("/watch", 404, "There is no such page")]
    [InlineData("/broken/too_many_attempts", 429, "Too much at once")]
    [InlineData("/broken/unavailable", 503, "Not just now")]
    [InlineData("/broken/cross_site", 403, "You may not do that")]
    [InlineData("/broken/bug", 500, "Something broke here")]
    public async Task A_browser_is_shown_a_page(string path, int status, string title)
    {
        var (answer, html) = await AskAsync(path);
        ((int)answer.StatusCode).ShouldBe(status);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        answer.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("frame-ancestors 'none'");
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        html.ShouldContain(title);
        html.ShouldContain("href=\"/upload\"");
        html.ShouldNotContain("<b>");
        html.ShouldNotContain("secret of the log");
    }

    [Fact]
    public async Task Who_is_not_signed_in_sees_it_too_without_the_navigation()
    {
        var (answer, html) = await AskAsync("/libary", who: "nobody");
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        html.ShouldContain("There is no such page");
        html.ShouldContain("/sign-in?next=%2Flibary");
        html.ShouldNotContain("href=\"/upload\"");
    }

    [Theory]
    [InlineData("/v1/nowhere", "text/html")]
    [InlineData("/play/nowhere", "text/html")]
    [InlineData("/openapi/v2.json", "text/html")]
    [InlineData("/debug/nowhere", "text/html")]
    [InlineData("/libary", "application/json")]
    [InlineData("/libary", "*/*")]
    [InlineData("/broken/unavailable", "*/*")]
    public async Task A_program_is_told_in_problem_details(string path, string accepts)
    {
        var (answer, json) = await AskAsync(path, accepts);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        json.ShouldContain("\"code\":");
    }

    [Fact]
    public async Task A_form_sent_to_nowhere_is_told_in_problem_details()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/libary") { Content = new StringContent("") };
        request.Headers.Add("Accept", "text/html");
        using var answer = await host.Http.SendAsync(request);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }

    [Fact]
    public async Task The_icon_that_browsers_ask_for_is_there()
    {
        using var answer = await host.Http.GetAsync("/favicon.ico");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("image/x-icon");
        (await answer.Content.ReadAsByteArrayAsync())[..4].ShouldBe(new byte[] { 0, 0, 1, 0 });
        (await host.PageAsync("/")).ShouldContain("href=\"/favicon.ico\"");
    }

    private async Task<(HttpResponseMessage Answer, string Body)> AskAsync(
        string path, string accepts = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", string? who = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Accept", accepts);
        if (who is not null)
        {
            request.Headers.Add(Testing.TestAccess.Header, who);
        }

        var answer = await host.Http.SendAsync(request);
        return (answer, await answer.Content.ReadAsStringAsync());
    }
}
