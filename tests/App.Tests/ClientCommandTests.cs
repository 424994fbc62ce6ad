using System.Text.Json;
using Hexcast.App.Cli;
using Hexcast.App.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.App.Tests;

/// <summary>What commands say to whoever uses them for the first time, of the executable as a process.</summary>
public sealed class ClientCommandTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("hexcast-test-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task A_link_to_a_media_that_has_failed_ends_with_5_and_says_why()
    {
        await using var server = await ServeAsync(
            """{"media_id":"m1","state":"failed","error":{"code":"source_not_media","message":"this is no video"}}""");

        var ended = await HexcastProcess.RunAsync(server.Address, "link", "m1");

        ended.ExitCode.ShouldBe(ExitCode.MediaFailed, ended.Errors);
        ended.Output.ShouldBeEmpty();
        ended.Errors.ShouldContain("this is no video (source_not_media)");
    }

    [Fact]
    public async Task A_time_for_an_address_that_does_not_end_is_said_to_change_nothing()
    {
        await using var server = await ServeAsync("""{"media_id":"m1","state":"ready"}""");

        var ended = await HexcastProcess.RunAsync(server.Address, "link", "m1", "--for", "8h");

        ended.ExitCode.ShouldBe(ExitCode.Success, ended.Errors);
        ended.Output.Trim().ShouldBe($"{server.Address}watch/m1");
        ended.Errors.ShouldContain("--for changes nothing");
    }

    [Fact]
    public async Task An_address_of_a_media_that_does_not_play_yet_is_given_and_said_to_wait()
    {
        await using var server = await ServeAsync("""{"media_id":"m1","state":"processing"}""");

        var ended = await HexcastProcess.RunAsync(server.Address, "link", "m1", "--json");

        ended.ExitCode.ShouldBe(ExitCode.Success, ended.Errors);
        using var link = JsonDocument.Parse(ended.Output);
        link.RootElement.GetProperty("watch_url").GetString().ShouldEndWith("/watch/m1");
        ended.Errors.ShouldContain("nothing of it plays yet");
    }

    [Theory]
    [InlineData("link", "m1", "--for", "8")]
    [InlineData("token", "create", "cms", "--scope", "read", "--expires", "8")]
    public async Task A_time_without_a_unit_is_refused_with_the_one_form_there_is(params string[] arguments)
    {
        var ended = await HexcastProcess.RunAsync(null, arguments);

        ended.ExitCode.ShouldBe(ExitCode.Usage);
        ended.Errors.ShouldContain("a number with s, m, h or d, like 90m, 24h or 30d");
    }

    [Theory]
    [InlineData("play")]
    [InlineData("upload")]
    public async Task A_mistyped_option_is_not_taken_for_a_file(string command)
    {
        var data = Path.Combine(folder.FullName, "data");

        var ended = await HexcastProcess.RunAsync(null, command, "--wach", "--data", data);

        ended.ExitCode.ShouldBe(ExitCode.Usage, ended.Errors);
        ended.Errors.ShouldContain("there is no option --wach");
        Directory.Exists(data).ShouldBeFalse();
    }

    [Theory]
    [InlineData("not-there.mp4", "cannot read")]
    [InlineData("empty.mp4", "is empty")]
    public async Task A_file_that_cannot_be_played_is_refused_before_the_platform_starts(string name, string words)
    {
        var data = Path.Combine(folder.FullName, "data");
        await File.WriteAllTextAsync(
            Path.Combine(folder.FullName, "empty.mp4"), "", TestContext.Current.CancellationToken);

        var ended = await HexcastProcess.RunAsync(
            null, "play", Path.Combine(folder.FullName, name), "--data", data);

        ended.ExitCode.ShouldBe(ExitCode.Usage, ended.Errors);
        ended.Errors.ShouldContain(words);
        Directory.Exists(data).ShouldBeFalse();
    }

    [Fact]
    public async Task A_data_folder_without_a_token_is_named()
    {
        var ended = await HexcastProcess.RunAsync(
            new Uri("http://127.0.0.1:9"), "ls", "--data", folder.FullName);

        ended.ExitCode.ShouldBe(ExitCode.Refused);
        ended.Errors.ShouldContain($"there is no {Path.Combine(folder.FullName, "admin.token")}");
    }

    [Fact]
    public async Task A_token_of_another_platform_is_named_with_the_server_that_did_not_know_it()
    {
        var token = Path.Combine(folder.FullName, "admin.token");
        await File.WriteAllTextAsync(token, "hxc_of-another", TestContext.Current.CancellationToken);
        await using var server = await ApiServer.StartAsync(http => http.MapGet("/v1/media", () => Results.Json(
            new { code = "credential_invalid", detail = "There is no such token." }, statusCode: 401)));

        var ended = await HexcastProcess.RunAsync(server.Address, "ls", "--data", folder.FullName);

        ended.ExitCode.ShouldBe(ExitCode.Refused);
        ended.Errors.ShouldContain($"127.0.0.1:{server.Address.Port} was shown the token of {token}");
        ended.Errors.ShouldContain(HexcastClient.UrlVariable);
    }

    [Fact]
    public async Task A_server_that_does_not_speak_plain_http_is_asked_after_its_https_address()
    {
        await using var server = await ApiServer.StartAsync(http =>
            http.MapGet("/v1/media", (HttpContext context) => context.Abort()));

        var ended = await HexcastProcess.RunAsync(server.Address, "ls");

        ended.ExitCode.ShouldBe(ExitCode.NoServer, ended.Errors);
        ended.Errors.ShouldContain("https://");
        ended.Errors.ShouldNotContain("An error occurred while sending the request");
    }

    [Fact]
    public async Task A_search_that_finds_nothing_does_not_say_that_there_is_nothing()
    {
        await using var server = await ApiServer.StartAsync(http =>
            http.MapGet("/v1/media", () => Results.Text("""{"media":[],"next_cursor":null}""", "application/json")));

        (await HexcastProcess.RunAsync(server.Address, "ls")).Output.ShouldStartWith("Nothing here");
        (await HexcastProcess.RunAsync(server.Address, "ls", "--q", "x")).Output.ShouldStartWith("Nothing matches");
    }

    [Fact]
    public async Task An_upload_says_where_it_can_be_watched()
    {
        var tus = new TusEndpoint();
        await using var server = await ApiServer.StartAsync(tus.Map);

        var ended = await HexcastProcess.RunAsync(
            server.Address, "upload", Path.Combine(AppContext.BaseDirectory, "hexcast.dll"));

        ended.ExitCode.ShouldBe(ExitCode.Success, ended.Errors);
        ended.Output.ShouldContain($"uploaded as media1: {server.Address}watch/media1");
    }

    [Fact]
    public async Task An_upload_that_nobody_may_follow_is_whole_all_the_same_and_named()
    {
        var tus = new TusEndpoint();
        await using var server = await ApiServer.StartAsync(http =>
        {
            tus.Map(http);
            http.MapGet("/v1/media/{id}/events", () => Results.Json(
                new { code = "scope_missing", detail = "This needs the scope read." }, statusCode: 403));
        });

        var ended = await HexcastProcess.RunAsync(
            server.Address, "upload", Path.Combine(AppContext.BaseDirectory, "hexcast.dll"), "--watch");

        ended.ExitCode.ShouldBe(ExitCode.Refused, ended.Errors);
        ended.Errors.ShouldContain("media1 goes on without this: ./hexcast show media1");
    }

    [Theory]
    [InlineData("""{ "Worker": { "Slots": "x" } }""", "Worker:Slots = 'x' is no whole number")]
    [InlineData("""{ "Worker": { "Sandbox": "maybe" } }""", "It is one of Required, Off")]
    [InlineData("""{ "Access": { "TrustedProxies": ["foo", "bar"] } }""", "Access:TrustedProxies = 'foo, bar'")]
    [InlineData("{\n\n\"Worker\": { \"Slots\": 1 ", "hexcast.json:3: ")]
    public async Task Check_config_says_what_is_wrong_in_words_for_people(string configuration, string words)
    {
        var file = Path.Combine(folder.FullName, "hexcast.json");
        await File.WriteAllTextAsync(file, configuration, TestContext.Current.CancellationToken);

        var ended = await HexcastProcess.RunAsync(null, "check-config", "--config", file);

        ended.ExitCode.ShouldBe(ExitCode.Usage, ended.Errors);
        ended.Output.ShouldContain(words);
    }

    [Fact]
    public async Task Check_config_names_the_file_that_it_has_read_or_missed()
    {
        var file = Path.Combine(folder.FullName, "hexcast.json");

        var without = await HexcastProcess.RunAsync(null, "check-config", "--data", folder.FullName);
        await File.WriteAllTextAsync(file, "{}", TestContext.Current.CancellationToken);
        var with = await HexcastProcess.RunAsync(null, "check-config", "--data", folder.FullName);

        without.ExitCode.ShouldBe(ExitCode.Success, without.Output);
        without.Output.ShouldContain($"there is no {file}");
        with.ExitCode.ShouldBe(ExitCode.Success, with.Output);
        with.Output.ShouldContain($"({file}");
    }

    [Fact]
    public async Task A_key_that_no_preset_has_is_named_with_its_line_and_no_class_of_ours()
    {
        var preset = Path.Combine(folder.CreateSubdirectory("presets").FullName, "mine.yaml");
        await File.WriteAllTextAsync(preset, "# mine\nfoo: bar\n", TestContext.Current.CancellationToken);

        var ended = await HexcastProcess.RunAsync(null, "check-config", "--data", folder.FullName);

        ended.ExitCode.ShouldBe(ExitCode.Usage, ended.Errors);
        ended.Output.ShouldContain($"{preset}:2: ");
        ended.Output.ShouldContain("'foo'");
        ended.Output.ShouldNotContain("Hexcast.Media");
    }

    [Fact]
    public async Task Whoever_follows_a_media_is_told_that_the_server_is_away()
    {
        var tus = new TusEndpoint();
        var connections = 0;
        await using var server = await ApiServer.StartAsync(http =>
        {
            tus.Map(http);
            http.MapGet("/v1/media/{id}/events", async (HttpContext context) =>
            {
                if (++connections < 4)
                {
                    context.Abort();
                    return;
                }

                context.Response.ContentType = "text/event-stream";
                await context.Response.WriteAsync(
                    "event: media\ndata: {\"media_id\":\"media1\",\"state\":\"ready\"}\n\n", context.RequestAborted);
            });
        });

        var ended = await HexcastProcess.RunAsync(
            server.Address, "upload", Path.Combine(AppContext.BaseDirectory, "hexcast.dll"), "--watch");

        ended.ExitCode.ShouldBe(ExitCode.Success, ended.Errors);
        ended.Output.Split("waiting: no answer from").Length.ShouldBe(2, "it is said once");
        ended.Output.ShouldContain("ready after");
    }

    /// <summary>One media, and addresses for it as of a public one.</summary>
    private static Task<ApiServer> ServeAsync(string media) => ApiServer.StartAsync(http =>
    {
        http.MapGet("/v1/media/{id}", () => Results.Text(media, "application/json"));
        http.MapPost("/v1/media/{id}/playback", () => Results.Text(
            """{"policy":"public","expires_at":null,"token":null}""", "application/json"));
    });
}
