using System.Text.Json.Nodes;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Dashboard.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>
/// Pages that live by the server's events, when these break off and are refused for a while: what an EventSource by
/// itself does not survive.
/// </summary>
public sealed class LostServerTests(Chromium chromium) : IAsyncLifetime
{
    private DashboardHost host = null!;
    private BrowsedPage browsed = null!;

    private IPage Page => browsed.Page;

    private ILocator Away => Page.Locator("#away");

    public async ValueTask InitializeAsync() => host = await DashboardHost.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await browsed.DisposeAsync();
        await host.DisposeAsync();
    }

    [Theory]
    [InlineData(502)]
    [InlineData(503)]
    public async Task The_library_says_that_it_is_old_and_catches_up_with_all_that_changed(int status)
    {
        var gone = host.Catalog.Put("Goes", MediaState.Ready);
        var works = host.Catalog.Put("Works", MediaState.Processing, m => m.Fraction = 0.1);
        await OpenAsync("/");
        host.Api.Events.Refuse(status);
        await Expect(Away).ToContainTextAsync("What you see may be out of date");
        await browsed.ShouldNotShiftAsync("words over the page's foot");
        await browsed.ShouldBeAccessibleAsync("a library that is old");
        await browsed.TakePictureAsync("library-away-light", full: false);
        (works.Media.State, works.HasPoster) = (MediaState.Ready, true);
        host.Catalog.Remove(gone);
        var added = host.Catalog.Put("New", MediaState.Uploaded).Media.MediaId;

        host.Api.Events.Accept();
        await Expect(Page.Locator($"#media-{works.Media.MediaId}")).ToHaveAttributeAsync("data-state", "ready");
        await Expect(Page.Locator($"#media-{gone.Media.MediaId}")).ToContainTextAsync("Deleted");
        await Expect(Away).ToBeEmptyAsync();
        await Page.GetByRole(AriaRole.Link, new() { Name = "New videos: show them" }).ClickAsync();
        await Expect(Page.Locator($"#media-{added}")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_stream_refused_from_the_start_is_opened_later_and_the_first_media_appears()
    {
        host.Api.Events.Refuse(503);
        await OpenAsync("/");
        await Expect(Away).Not.ToBeEmptyAsync();
        var first = host.Catalog.Put("First", MediaState.Uploaded).Media.MediaId;
        host.Api.Events.Accept();
        await Expect(Page.Locator($"#media-{first}")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Uploads_go_on_to_ready_when_the_stream_is_back()
    {
        await OpenAsync("/upload");
        host.Api.Events.Refuse(503);
        await Page.Locator("#files").SetInputFilesAsync(
            new FilePayload { Name = "harbour.mp4", MimeType = "video/mp4", Buffer = new byte[1000] });
        await Page.GetByRole(AriaRole.Button, new() { Name = "Upload 1 file" }).ClickAsync();
        var row = Page.Locator(".upload");
        await Expect(row.Locator("[data-badge]")).ToContainTextAsync("Uploaded");
        await Expect(Away).Not.ToBeEmptyAsync();
        host.Api.MediaState = "processing";
        host.Api.Events.Accept();
        await Expect(row.Locator("[data-badge]")).ToHaveTextAsync("Processing");

        // And once more, in the middle of it.
        host.Api.Events.Refuse(502);
        await Expect(Away).Not.ToBeEmptyAsync();
        host.Api.MediaState = "playable";
        host.Api.Events.Accept();
        await Expect(row.Locator("[data-badge]")).ToContainTextAsync("Playable");
        var media = host.Catalog.Completed.ShouldHaveSingleItem().MediaId;
        host.Api.Tell("progress", new JsonObject { ["media_id"] = media, ["fraction"] = 0.7 });
        await Expect(row.Locator("[data-figures]")).ToHaveTextAsync("70 %");
    }

    [Fact]
    public async Task The_nodes_are_shown_anew_when_a_master_is_back()
    {
        host.Scheduler.Fill();
        await OpenAsync("/nodes");
        var live = Page.Locator("#live");
        await Expect(live).ToHaveTextAsync("Live");
        host.Api.NodeEvents.Refuse(503);
        await Expect(live).ToHaveTextAsync("Connecting again");
        host.Scheduler.Nodes.Nodes.RemoveAt(0);
        host.Api.NodeEvents.Accept();
        await Expect(live).ToHaveTextAsync("Live");
        await Expect(Page.Locator("#nodes-title")).ToHaveTextAsync("2 nodes");
    }

    [Fact]
    public async Task A_node_is_taken_out_of_use_and_into_use_again()
    {
        host.Scheduler.Fill();
        await OpenAsync("/nodes");
        await Expect(Page.Locator(".cluster-facts")).ToContainTextAsync("front");
        var node = Page.Locator("[data-key=worker-1]");
        await node.GetByRole(AriaRole.Button, new() { Name = "Take out of use: worker-1" }).ClickAsync();
        await Expect(node).ToContainTextAsync("Going out of use");
        host.Scheduler.Nodes.Nodes[0].Draining.ShouldBeTrue();
        await node.GetByRole(AriaRole.Button, new() { Name = "Take into use: worker-1" }).ClickAsync();
        await Expect(node).ToContainTextAsync("Connected since");
        host.Scheduler.Nodes.Nodes[0].Draining.ShouldBeFalse();
    }

    [Fact]
    public async Task Nodes_that_could_not_be_shown_appear_with_the_master()
    {
        host.Scheduler.Fill();
        host.Scheduler.Refusal = StatusCode.Unavailable;
        host.Api.NodeEvents.Refuse(503);
        await OpenAsync("/nodes");
        await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "The cluster cannot be shown" }))
            .ToBeVisibleAsync();
        await Expect(Page.Locator(".charts")).ToBeHiddenAsync();
        host.Scheduler.Refusal = StatusCode.OK;
        host.Api.NodeEvents.Accept();
        await Expect(Page.Locator("#nodes-title")).ToHaveTextAsync("3 nodes");
        await Expect(Page.Locator(".charts")).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData("/", "/sign-in?ended=1&next=%2F")]
    [InlineData("/nodes", "/sign-in?ended=1&next=%2Fnodes")]
    public async Task Who_was_signed_out_meanwhile_is_led_to_the_sign_in_page_told_why_and_led_back(
        string path, string expected)
    {
        await OpenAsync(path);
        host.Api.Events.Refuse(401);
        host.Api.NodeEvents.Refuse(401);
        await Expect(Page).ToHaveURLAsync(host.Url(expected).ToString());
        await Expect(Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Your session has ended");
        await Expect(Page.Locator("input[name=next]")).ToHaveValueAsync(path);
    }

    [Theory]
    [InlineData(502, "text/html")]
    [InlineData(503, "application/problem+json")]
    public async Task What_is_no_panel_is_not_put_into_the_page(int status, string contentType)
    {
        host.Scheduler.Fill();
        await OpenAsync("/nodes");
        await Expect(Page.Locator("#live")).ToHaveTextAsync("Live");
        await Page.RouteAsync("**/nodes/panel", route => route.FulfillAsync(
            new() { Status = status, ContentType = contentType, Body = "Bad gateway, says the proxy" }));
        host.Api.NodeEvents.Tell("queues", new JsonObject { ["classes"] = new JsonArray() });
        await Expect(Page.Locator("#live")).ToHaveTextAsync("Out of date");
        await Expect(Page.Locator("#nodes-title")).ToHaveTextAsync("3 nodes");
        (await Page.Locator("body").InnerTextAsync()).ShouldNotContain("Bad gateway");
        await Page.UnrouteAllAsync();
        await Expect(Page.Locator("#live")).ToHaveTextAsync("Live");
    }

    [Fact]
    public async Task Signing_out_elsewhere_ends_the_nodes_page_where_one_signs_in()
    {
        host.Scheduler.Fill();
        await OpenAsync("/nodes");
        await Expect(Page.Locator("#live")).ToHaveTextAsync("Live");
        await Page.RouteAsync("**/nodes/panel", route => route.FulfillAsync(
            new() { Status = 401, ContentType = "application/problem+json", Body = "{}" }));
        host.Api.NodeEvents.Tell("queues", new JsonObject { ["classes"] = new JsonArray() });
        await Expect(Page).ToHaveURLAsync(host.Url("/sign-in?ended=1&next=%2Fnodes").ToString());
    }

    [Fact]
    public async Task Nodes_and_queues_are_drawn_as_they_are_told()
    {
        host.Scheduler.Fill();
        await OpenAsync("/nodes");
        await Expect(Page.Locator(".chart-words")).ToHaveTextAsync(["Collecting…", "Collecting…"]);
        await browsed.TakePictureAsync("nodes-collecting-light");
        host.Scheduler.Nodes.Nodes.RemoveAt(2);
        host.Scheduler.Queues.Classes[1].Running = 7;
        host.Api.NodeEvents.Tell("nodes", new JsonObject
        {
            ["nodes"] = new JsonArray(
                new JsonObject { ["node_id"] = "worker-1", ["cpu_load"] = 0.25 },
                new JsonObject { ["node_id"] = "worker-2", ["cpu_load"] = 0.75 }),
        });
        host.Api.NodeEvents.Tell("queues", new JsonObject
        {
            ["classes"] = new JsonArray(
                new JsonObject { ["class"] = "hd", ["running"] = 7, ["ready"] = 11 },
                new JsonObject { ["class"] = "sd", ["running"] = 1, ["ready"] = 2 }),
        });
        await Expect(Page.Locator("#nodes-title")).ToHaveTextAsync("2 nodes");
        await Expect(Page.Locator("tr[data-key=hd] [data-running]")).ToHaveTextAsync("7");
        await Expect(Page.Locator(".chart-words")).ToHaveCountAsync(0);
        await Expect(Page.Locator("[data-chart] canvas")).ToHaveCountAsync(2);
        // The newest point of each line, in the order of the names.
        (await LastPointAsync("load")).ShouldBe([0.25, 0.75]);
        (await LastPointAsync("tasks")).ShouldBe([8, 13]);
        (await Page.EvaluateAsync<string[]>("hexcast.charts.get('load').plot.series.slice(1).map((s) => s.label)"))
            .ShouldBe(["worker-1", "worker-2"]);
        await browsed.ShouldNotShiftAsync("charts that begin");
        browsed.ShouldHaveNoProblems();
    }

    private Task<double[]> LastPointAsync(string chart) => Page.EvaluateAsync<double[]>(
        "name => hexcast.charts.get(name).plot.data.slice(1).map((values) => values.at(-1))", chart);

    private async Task OpenAsync(string path) => browsed = await BrowsedPage.OpenAsync(chromium, host.Url(path));
}
