using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Hexcast.App.Cli;
using Hexcast.App.Client;
using Hexcast.App.Play;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.App.Tests;

/// <summary>What <c>play</c> makes of a data folder that is not empty.</summary>
public sealed class PlaySessionTests : IDisposable
{
    private readonly StringWriter document = new();
    private readonly StringWriter words = new();

    [Fact]
    public async Task A_file_that_is_far_down_the_list_is_found_and_not_uploaded_again()
    {
        var file = typeof(PlaySessionTests).Assembly.Location;
        var list = Enumerable.Range(0, 300).Select(n => Media($"m{n}", "ready", size: n)).ToArray();
        list[^1] = await SameAsync("old", "ready", file);

        await PlayAsync(file, list);

        words.ToString().ShouldContain("here already, as old");
        var played = Played().ShouldHaveSingleItem();
        ((string)played["media"]!["media_id"]!).ShouldBe("old");
    }

    [Fact]
    public async Task A_file_that_is_here_and_failed_runs_its_job_again()
    {
        var file = typeof(PlaySessionTests).Assembly.Location;
        var retried = 0;

        await PlayAsync(file, [await SameAsync("bad", "failed", file)], http =>
            http.MapPost("/v1/media/{id}/retry", (string id) =>
            {
                retried++;
                return Results.Text(Media(id, "processing").ToJsonString(), "application/json", statusCode: 202);
            }));

        retried.ShouldBe(1);
        ((string)Played().ShouldHaveSingleItem()["media"]!["media_id"]!).ShouldBe("bad");
    }

    [Fact]
    public async Task One_failed_media_does_not_keep_the_others_from_being_followed_and_the_document_is_one()
    {
        JsonObject[] list = [Media("a", "processing"), Media("fails", "processing"), Media("b", "uploaded")];

        var failure = await Should.ThrowAsync<CliException>(() => PlayAsync(null, list));

        failure.ExitCode.ShouldBe(ExitCode.MediaFailed);
        failure.Message.ShouldContain("fails failed");
        Played().Select(one => (string)one["media"]!["media_id"]!).ShouldBe(["a", "fails", "b"]);
    }

    public void Dispose()
    {
        document.Dispose();
        words.Dispose();
    }

    /// <summary>Every media that is followed becomes ready at once, but one called "fails".</summary>
    private async Task PlayAsync(
        string? file, IReadOnlyList<JsonObject> list, Action<IEndpointRouteBuilder>? more = null)
    {
        await using var server = await ApiServer.StartAsync(http =>
        {
            http.MapGet("/v1/media", (int limit, int? cursor) => Results.Json(new
            {
                media = list.Skip(cursor ?? 0).Take(limit),
                next_cursor = (cursor ?? 0) + limit < list.Count ? $"{(cursor ?? 0) + limit}" : null,
            }));
            http.MapGet("/v1/media/{id}", (string id) => Results.Text(End(id).ToJsonString(), "application/json"));
            http.MapGet("/v1/media/{id}/events", async (string id, HttpContext context) =>
            {
                context.Response.ContentType = "text/event-stream";
                await context.Response.WriteAsync($"event: media\ndata: {End(id).ToJsonString()}\n\n");
            });
            more?.Invoke(http);
        });
        using var client = new HexcastClient(server.Address, TimeProvider.System);
        var session = new PlaySession(client, TimeProvider.System, new Output(json: true, document, words));
        await session.RunAsync(file, TestContext.Current.CancellationToken);
    }

    private IEnumerable<JsonNode> Played() =>
        JsonNode.Parse(document.ToString())!["media"]!.AsArray().Select(one => one!);

    private static JsonObject End(string id) => Media(id, id == "fails" ? "failed" : "ready");

    private static async Task<JsonObject> SameAsync(string id, string state, string file)
    {
        var bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        var media = Media(id, state, bytes.Length);
        media["sha256"] = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return media;
    }

    private static JsonObject Media(string id, string state, long size = 1) =>
        new() { ["media_id"] = id, ["state"] = state, ["size_bytes"] = size };
}
