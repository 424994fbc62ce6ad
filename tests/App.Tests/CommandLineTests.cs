using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Hexcast.App.Cli;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.App.Tests;

/// <summary>Exit codes and streams, of the executable as a process.</summary>
public sealed class CommandLineTests
{
    private const string Media =
        """
        {"media_id":"m1","state":"ready","title":"A \u001b[31mred\u001b[0m [title]","filename":"a.mp4",
         "size_bytes":1500000,"tags":["x"],"renditions":[{"id":"h264-720","kind":"video","codec":"avc1.64001f",
         "width":1280,"height":720,"segments":6,"size_bytes":900000,"average_bitrate":2000000}],
         "watch_url":"/watch/m1","from_a_later_server":7}
        """;

    [Theory]
    [InlineData("upload")]
    [InlineData("show")]
    [InlineData("nonsense")]
    [InlineData("ls", "--state", "broken")]
    [InlineData("ls", "--limit", "0")]
    [InlineData("serve", "--http", "80")]
    [InlineData("serve", "--advertise", "0.0.0.0:8081")]
    [InlineData("serve", "--advertise", "gate.example")]
    [InlineData("serve", "--target", "nobody")]
    public async Task Wrong_usage_ends_with_2_and_says_so(params string[] arguments)
    {
        var ended = await HexcastProcess.RunAsync(null, arguments);

        ended.ExitCode.ShouldBe(ExitCode.Usage, ended.Errors);
        ended.Output.ShouldBeEmpty();
        ended.Errors.ShouldStartWith("hexcast: ");
    }

    [Fact]
    public async Task Help_of_each_command_shows_examples()
    {
        foreach (var command in CommandLine.Root(TimeProvider.System).Subcommands)
        {
            var ended = await HexcastProcess.RunAsync(null, command.Name, "--help");

            ended.ExitCode.ShouldBe(ExitCode.Success);
            ended.Output.ShouldContain("Examples:");
            ended.Output.ShouldContain($"./hexcast {command.Name}");
            // As a person types it, and not by the name of a file that they never see.
            ended.Output.ShouldContain($"Usage:\n  ./hexcast {command.Name}");
        }
    }

    [Fact]
    public async Task No_server_ends_with_4_and_says_how_to_start_one()
    {
        // Port 9 (discard) is closed on loopback.
        var ended = await HexcastProcess.RunAsync(new Uri("http://127.0.0.1:9"), "ls");

        ended.ExitCode.ShouldBe(ExitCode.NoServer);
        ended.Errors.ShouldContain("./hexcast serve");
        ended.Errors.ShouldContain("HEXCAST_URL");
    }

    [Fact]
    public async Task An_unknown_media_ends_with_3()
    {
        await using var server = await ApiServer.StartAsync(http => http.MapGet("/v1/media/{id}", () => Results.Json(
            new { code = "not_found", detail = "there is no media nope" }, statusCode: 404)));

        var ended = await HexcastProcess.RunAsync(server.Address, "show", "nope");

        ended.ExitCode.ShouldBe(ExitCode.NotFound);
        ended.Errors.ShouldContain("there is no media nope");
    }

    [Fact]
    public async Task Json_is_one_document_and_keeps_what_this_version_does_not_know()
    {
        await using var server = await ApiServer.StartAsync(MapMedia);

        var list = await HexcastProcess.RunAsync(server.Address, "ls", "--json");
        var show = await HexcastProcess.RunAsync(server.Address, "show", "m1", "--json");

        list.ExitCode.ShouldBe(ExitCode.Success, list.Errors);
        using var listed = JsonDocument.Parse(list.Output);
        listed.RootElement.GetProperty("media").EnumerateArray().Select(m => m.GetProperty("media_id").GetString())
            .ShouldBe(["m1", "m1"]);
        using var shown = JsonDocument.Parse(show.Output);
        shown.RootElement.GetProperty("from_a_later_server").GetInt32().ShouldBe(7);
    }

    [Fact]
    public async Task A_title_cannot_steer_the_terminal()
    {
        await using var server = await ApiServer.StartAsync(MapMedia);

        foreach (string[] command in new string[][] { ["ls"], ["show", "m1"] })
        {
            var ended = await HexcastProcess.RunAsync(server.Address, command);

            ended.ExitCode.ShouldBe(ExitCode.Success, ended.Errors);
            ended.Output.ShouldContain("red");
            ended.Output.ShouldContain("[title]");
            ended.Output.ShouldNotContain("\u001b");
        }
    }

    [Fact]
    public async Task Deleting_without_anybody_to_ask_needs_yes()
    {
        await using var server = await ApiServer.StartAsync(
            http => http.MapDelete("/v1/media/{id}", () => Results.NoContent()));

        (await HexcastProcess.RunAsync(server.Address, "rm", "m1")).ExitCode.ShouldBe(ExitCode.Usage);
        (await HexcastProcess.RunAsync(server.Address, "rm", "m1", "--yes")).ExitCode.ShouldBe(ExitCode.Success);
    }

    [Fact]
    public async Task Upload_with_watch_survives_a_lost_event_stream_and_prints_the_figures()
    {
        var tus = new TusEndpoint(100);
        var connections = 0;
        await using var server = await ApiServer.StartAsync(http =>
        {
            tus.Map(http);
            MapMedia(http);
            http.MapGet("/v1/media/{id}/events", async (HttpContext context) =>
            {
                context.Response.ContentType = "text/event-stream";
                var state = connections++ == 0 ? "playable" : "ready";
                var media = Media.ReplaceLineEndings("").Replace("\"ready\"", $"\"{state}\"", StringComparison.Ordinal);
                await context.Response.WriteAsync(
                    $": hello\n\nevent: media\ndata: {media}\n\n", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                if (state == "playable")
                {
                    context.Abort();
                }
            });
        });

        var ended = await HexcastProcess.RunAsync(
            server.Address, "upload", Path.Combine(AppContext.BaseDirectory, "hexcast.dll"), "--watch", "--json");

        ended.ExitCode.ShouldBe(ExitCode.Success, ended.Errors);
        connections.ShouldBe(2);
        using var document = JsonDocument.Parse(ended.Output);
        document.RootElement.GetProperty("media").GetProperty("media_id").GetString().ShouldBe("m1");
        document.RootElement.GetProperty("time_to_playable_seconds").GetDouble().ShouldBeGreaterThan(0);
        ended.Errors.ShouldContain($"{server.Address}watch/m1");
    }

    [Fact]
    public async Task Upload_with_watch_of_a_media_that_fails_ends_with_5_and_the_workers_words()
    {
        var tus = new TusEndpoint();
        await using var server = await ApiServer.StartAsync(http =>
        {
            tus.Map(http);
            http.MapGet("/v1/media/{id}/events", async (HttpContext context) =>
            {
                context.Response.ContentType = "text/event-stream";
                await context.Response.WriteAsync(
                    "event: media\ndata: {\"media_id\":\"m1\",\"state\":\"failed\","
                    + "\"error\":{\"code\":\"source_not_media\",\"message\":\"this is no video\"}}\n\n",
                    context.RequestAborted);
            });
        });

        var ended = await HexcastProcess.RunAsync(
            server.Address, "upload", Path.Combine(AppContext.BaseDirectory, "hexcast.dll"), "--watch");

        ended.ExitCode.ShouldBe(ExitCode.MediaFailed);
        ended.Errors.ShouldContain("this is no video (source_not_media)");
        ended.Errors.ShouldNotContain("retry", customMessage: "a bad source stays bad");
    }

    [Fact]
    public async Task A_port_in_use_is_named_with_the_option_that_changes_it()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var folder = Directory.CreateTempSubdirectory("hexcast-test-");
        try
        {
            var ended = await HexcastProcess.RunAsync(
                null, "serve", "--target", "coordinator", "--data", folder.FullName,
                "--http", $"{taken.LocalEndpoint}");

            ended.ExitCode.ShouldBe(ExitCode.Failed, ended.Errors);
            ended.Errors.ShouldContain($"{taken.LocalEndpoint} is in use");
            ended.Errors.ShouldContain("--http 127.0.0.1:");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_data_folder_belongs_to_one_process_at_a_time()
    {
        var folder = Directory.CreateTempSubdirectory("hexcast-test-");
        try
        {
            await using var held = new FileStream(
                Path.Combine(folder.FullName, "hexcast.lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);

            var ended = await HexcastProcess.RunAsync(null, "serve", "--data", folder.FullName);

            ended.ExitCode.ShouldBe(ExitCode.Failed);
            ended.Errors.ShouldContain("in use by another hexcast");
            ended.Errors.ShouldContain("--data");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Check_config_names_each_wrong_key_and_section()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(
                file,
                """{ /* allowed */ "Worker": { "Slots": -1, "Slotss": 2 }, "Wroker": { "Slots": 1 } }""",
                TestContext.Current.CancellationToken);

            var ended = await HexcastProcess.RunAsync(null, "check-config", "--config", file);

            ended.ExitCode.ShouldBe(ExitCode.Usage);
            ended.Output.ShouldContain("Worker:Slots = '-1'");
            ended.Output.ShouldContain("Worker:Slotss is no option");
            ended.Output.ShouldContain("Wroker is no section");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("check-config")]
    [InlineData("serve")]
    [InlineData("play")]
    public async Task A_misspelt_section_and_a_broken_preset_are_refused_with_2_and_named(string command)
    {
        var folder = Directory.CreateTempSubdirectory("hexcast-test-");
        try
        {
            var presets = folder.CreateSubdirectory("presets").FullName;
            await File.WriteAllTextAsync(
                Path.Combine(folder.FullName, "hexcast.json"), """{ "Wroker": { "Slots": 1 } }""",
                TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(
                Path.Combine(presets, "mine.yaml"), "codec: [", TestContext.Current.CancellationToken);

            var ended = await HexcastProcess.RunAsync(null, command, "--data", folder.FullName);

            ended.ExitCode.ShouldBe(ExitCode.Usage, ended.Errors);
            var words = ended.Output + ended.Errors;
            words.ShouldContain("Wroker is no section");
            words.ShouldContain(Path.Combine(presets, "mine.yaml"));
            words.ShouldNotContain("   at Hexcast", customMessage: "no stack trace");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task What_keeps_the_coordinator_from_its_log_is_told_without_a_stack_trace()
    {
        var folder = Directory.CreateTempSubdirectory("hexcast-test-");
        try
        {
            var log = folder.CreateSubdirectory("coordinator").FullName;
            await using var held = new FileStream(
                Path.Combine(log, "lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);

            var ended = await HexcastProcess.RunAsync(
                null, "serve", "--target", "coordinator", "--data", folder.FullName);

            ended.ExitCode.ShouldBe(ExitCode.Failed, ended.Errors);
            ended.Errors.ShouldContain("hexcast: ");
            ended.Errors.ShouldContain("cannot be locked");
            ended.Errors.ShouldNotContain("   at Hexcast");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Rm_and_retry_answer_with_one_document()
    {
        await using var server = await ApiServer.StartAsync(http =>
        {
            http.MapDelete("/v1/media/{id}", () => Results.NoContent());
            http.MapPost("/v1/media/{id}/retry", () => Results.Text(Media, "application/json", statusCode: 202));
        });

        var removed = await HexcastProcess.RunAsync(server.Address, "rm", "m1", "--yes", "--json");
        var retried = await HexcastProcess.RunAsync(server.Address, "retry", "m1", "--json");

        removed.ExitCode.ShouldBe(ExitCode.Success, removed.Errors);
        using var removal = JsonDocument.Parse(removed.Output);
        removal.RootElement.GetProperty("media_id").GetString().ShouldBe("m1");
        removal.RootElement.GetProperty("deleted").GetBoolean().ShouldBeTrue();
        retried.ExitCode.ShouldBe(ExitCode.Success, retried.Errors);
        using var retry = JsonDocument.Parse(retried.Output);
        retry.RootElement.GetProperty("media_id").GetString().ShouldBe("m1");
    }

    [Fact]
    public async Task Nodes_and_queues_are_tables_for_people_and_documents_for_programs()
    {
        await using var server = await ApiServer.StartAsync(http =>
        {
            http.MapGet("/v1/nodes", () => Results.Text(
                """
                {"nodes":[{"node_id":"w1","connected":true,"since":"2026-01-01T00:00:00.000Z","slots":2,
                 "cpu_load":0.5,"memory_free_bytes":1000000000,"memory_total_bytes":4000000000,
                 "scratch_free_bytes":5000000000,"from_a_later_server":7,
                 "running":[{"job_id":"j1","task_id":"chunk-0003","attempt":1,"media_id":"m1","class":"hd",
                 "fraction":0.25,"speed":2,"since":"2026-01-01T00:00:00.000Z"}]}]}
                """, "application/json"));
            http.MapGet("/v1/queues", () => Results.Text(
                """
                {"classes":[{"class":"hd","jobs":1,"ready":4,"running":2,"oldest_wait_seconds":3.5}],
                 "unfinished_jobs":2,
                 "jobs":[{"job_id":"j1","media_id":"m1","class":"hd","tasks":9,"ready":4,"running":2,"committed":3}]}
                """, "application/json"));
        });

        var nodes = await HexcastProcess.RunAsync(server.Address, "nodes");
        var queues = await HexcastProcess.RunAsync(server.Address, "queues");
        var document = await HexcastProcess.RunAsync(server.Address, "nodes", "--json");

        nodes.ExitCode.ShouldBe(ExitCode.Success, nodes.Errors);
        nodes.Output.ShouldContain("1 of 2");
        nodes.Output.ShouldContain("chunk-0003");
        nodes.Output.ShouldContain("25 %");
        queues.ExitCode.ShouldBe(ExitCode.Success, queues.Errors);
        queues.Output.ShouldContain("3.5 s");
        queues.Output.ShouldContain("The oldest 1 of 2.");
        using var parsed = JsonDocument.Parse(document.Output);
        parsed.RootElement.GetProperty("nodes")[0].GetProperty("from_a_later_server").GetInt32().ShouldBe(7);
    }

    [Fact]
    public async Task A_node_is_drained_waited_for_and_taken_back()
    {
        var looks = 0;
        await using var server = await ApiServer.StartAsync(http =>
        {
            http.MapPut("/v1/nodes/{node}/drain", (string node, int? hand_back_after_seconds) => Results.Text(
                $$"""{"node_id":"{{node}}","draining":true,"running":{{hand_back_after_seconds}}}""",
                "application/json"));
            http.MapDelete("/v1/nodes/{node}/drain", (string node) => Results.Text(
                $$"""{"node_id":"{{node}}","draining":false,"running":0}""", "application/json"));
            http.MapGet("/v1/nodes", () => Results.Text(
                $$"""
                {"master_node_id":"front","fence":7,"nodes":[{"node_id":"w1","connected":true,"draining":true,"slots":1,
                "running":[{{(looks++ == 0 ? """{"task_id":"chunk-0003","attempt":1}""" : "")}}]}]}
                """, "application/json"));
        });

        var drained = await HexcastProcess.RunAsync(
            server.Address, "nodes", "drain", "w1", "--hand-back-after", "3", "--wait");
        var listed = await HexcastProcess.RunAsync(server.Address, "nodes");
        var back = await HexcastProcess.RunAsync(server.Address, "nodes", "undrain", "w1", "--json");

        drained.ExitCode.ShouldBe(ExitCode.Success, drained.Errors);
        drained.Output.ShouldContain("w1 gets no more tasks. It runs 3.");
        drained.Output.ShouldContain("w1 runs nothing.");
        looks.ShouldBeGreaterThan(1);
        listed.Output.ShouldContain("drained");
        listed.Output.ShouldContain("front is the master, under fence 7.");
        using var parsed = JsonDocument.Parse(back.Output);
        parsed.RootElement.GetProperty("draining").GetBoolean().ShouldBeFalse();
    }

    private static void MapMedia(IEndpointRouteBuilder http)
    {
        http.MapGet("/v1/media", (string? cursor) => Results.Text(
            $$"""{"media":[{{Media}}],"next_cursor":{{(cursor is null ? "\"2\"" : "null")}}}""", "application/json"));
        http.MapGet("/v1/media/{id}", () => Results.Text(Media, "application/json"));
    }
}
