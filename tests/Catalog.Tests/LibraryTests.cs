using System.Text.Json.Nodes;
using Grpc.Core;
using Hexcast.Contracts.V1;

namespace Hexcast.Catalog.Tests;

/// <summary>What pages that show many media ask for: a list over gRPC, and one stream of events for all.</summary>
public sealed class LibraryTests : CatalogFixture
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_list_over_grpc_is_that_of_the_api()
    {
        for (var i = 0; i < 5; i++)
        {
            await UploadAsync($"city {i}.mp4", "tour");
        }

        await UploadAsync("sea.mp4");
        var request = new ListMediaRequest { Query = "city", Tags = { "tour" }, Limit = 3 };
        var first = await Client.ListMediaAsync(request);
        first.Media.Select(m => m.Media.Title).ShouldBe(["city 4", "city 3", "city 2"]);
        request.Cursor = first.NextCursor;
        var second = await Client.ListMediaAsync(request);
        second.Media.Select(m => m.Media.Title).ShouldBe(["city 1", "city 0"]);
        second.NextCursor.ShouldBeEmpty();
    }

    [Fact]
    public async Task Only_the_named_media_are_listed_where_some_are_named()
    {
        var one = await UploadAsync("one.mp4");
        await UploadAsync("two.mp4");
        var page = await Client.ListMediaAsync(
            new ListMediaRequest { MediaIds = { one, "01k00000000000000000000000", "';--" } });
        page.Media.Select(m => m.Media.MediaId).ShouldBe([one]);
    }

    [Theory]
    [InlineData("nonsense", 10, "")]
    [InlineData("", 201, "")]
    [InlineData("", -1, "")]
    [InlineData("", 10, "nonsense")]
    public async Task A_list_that_asks_for_what_is_not_allowed_is_refused(string state, int limit, string cursor)
    {
        var request = new ListMediaRequest { State = state, Limit = limit, Cursor = cursor };
        var refusal = await Should.ThrowAsync<RpcException>(async () => await Client.ListMediaAsync(request));
        refusal.StatusCode.ShouldBe(StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task A_running_job_is_listed_with_its_fraction_and_stage()
    {
        var (mediaId, job) = await OrderAsync();
        Tell(
            job, ("probe", TaskKind.Probe, TaskState.Committed, 0),
            ("chunk-0000", TaskKind.EncodeChunk, TaskState.Running, 0.5));
        ListedMedia listed = new();
        var request = new ListMediaRequest { MediaIds = { mediaId } };
        await Testing.Eventually.HoldsAsync(
            async () => (listed = (await Client.ListMediaAsync(request)).Media[0]).Fraction > 0,
            "no progress is listed");
        listed.Stage.ShouldBe("encode");
        listed.Fraction.ShouldBe(11.0 / 21, tolerance: 0.001);
    }

    [Fact]
    public async Task One_stream_tells_of_every_media_and_begins_with_now()
    {
        // Until its job is followed: nothing of it is left to tell.
        await OrderAsync("before.mp4");
        using var stream = await Http.GetStreamAsync("/v1/events").WaitAsync(Limit);
        using var events = new StreamReader(stream);
        var (mediaId, job) = await OrderAsync("after.mp4");
        var (name, data) = await NextAsync(events);
        name.ShouldBe("media");
        ((string)data["media_id"]!).ShouldBe(mediaId);

        Tell(job, ("probe", TaskKind.Probe, TaskState.Running, 0.5));
        data = await NextAsync(events, "progress");
        ((string)data["media_id"]!).ShouldBe(mediaId);
        ((double)data["fraction"]!).ShouldBe(0.5);
        ((string)data["stage"]!).ShouldBe("probe");

        using (await Http.DeleteAsync($"/v1/media/{mediaId}"))
        {
        }

        ((string)(await NextAsync(events, "deleted"))["media_id"]!).ShouldBe(mediaId);
    }

    [Fact]
    public async Task What_changes_after_the_stream_began_is_told_of_media_from_before_too()
    {
        var ordered = new TaskCompletionSource();
        Master.OnOrder = ordered.Task.WaitAsync;
        var before = await UploadAsync("before.mp4");
        using var stream = await Http.GetStreamAsync("/v1/events").WaitAsync(Limit);
        using var events = new StreamReader(stream);
        ordered.SetResult();
        var data = await NextAsync(events, "media");
        ((string)data["media_id"]!).ShouldBe(before);
        ((string)data["state"]!).ShouldBe("processing");
    }

    [Fact]
    public async Task Nothing_is_told_of_the_progress_of_a_job_that_was_lost()
    {
        var (mediaId, job) = await OrderAsync();
        Tell(job, ("probe", TaskKind.Probe, TaskState.Running, 0.5));
        var progress = Node.Get<MediaChanges>();
        await Testing.Eventually.HoldsAsync(() => progress.Progress(mediaId) is not null, "no progress came");
        Master.Forget(mediaId);
        job.Break();
        await StateAsync(mediaId, "failed");
        await Testing.Eventually.HoldsAsync(() => progress.Progress(mediaId) is null, "its progress stays");
    }

    private static void Tell(FakeJob job, params (string Id, TaskKind Kind, TaskState State, double Fraction)[] tasks)
    {
        var progress = new Contracts.V1.JobProgress();
        progress.Tasks.AddRange(tasks.Select(task => new JobTask
        {
            TaskId = task.Id, Kind = task.Kind, State = task.State, Fraction = task.Fraction,
        }));
        job.Say(e => e.Progress = progress, transient: true);
    }

    private static async Task<JsonNode> NextAsync(StreamReader events, string wanted)
    {
        while (true)
        {
            var (name, data) = await NextAsync(events);
            if (name == wanted)
            {
                return data;
            }
        }
    }

    private static async Task<(string Name, JsonNode Data)> NextAsync(StreamReader events)
    {
        var name = "";
        while (await events.ReadLineAsync().WaitAsync(Limit) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                name = line["event: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                return (name, JsonNode.Parse(line["data: ".Length..])!);
            }
        }

        throw new InvalidOperationException("the stream ended");
    }
}
