using System.Net;
using System.Text.Json.Nodes;
using Grpc.Core;
using Hexcast.Contracts.V1;

namespace Hexcast.Catalog.Tests;

public sealed class WatchTests : CatalogFixture
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_watcher_hears_of_changes_and_deletions_and_goes_on_from_its_cursor()
    {
        using var call = Client.WatchMedia(new WatchMediaRequest());
        var started = await NextAsync(call);
        started.Kind.ShouldBe(MediaChange.Types.Kind.Started);
        var (mediaId, _) = await OrderAsync();
        var changed = await NextAsync(call);
        (changed.Kind, changed.MediaId).ShouldBe((MediaChange.Types.Kind.Changed, mediaId));
        using (await Http.DeleteAsync($"/v1/media/{mediaId}"))
        {
        }

        MediaChange last;
        do
        {
            last = await NextAsync(call);
        }
        while (last.Kind != MediaChange.Types.Kind.Deleted);

        last.MediaId.ShouldBe(mediaId);
        using var late = Client.WatchMedia(new WatchMediaRequest { AfterSequence = changed.Sequence });
        (await NextAsync(late)).Sequence.ShouldBe(changed.Sequence);
        var missed = await NextAsync(late);
        (missed.Kind, missed.Sequence).ShouldBe((MediaChange.Types.Kind.Deleted, last.Sequence));
    }

    [Fact]
    public async Task A_watcher_of_one_media_hears_of_no_other()
    {
        var (watched, job) = await OrderAsync();
        using var call = Client.WatchMedia(new WatchMediaRequest { MediaId = watched });
        await NextAsync(call);
        await OrderAsync("other.mp4");
        Plan(job, chunks: 1, audio: false);
        (await NextAsync(call)).MediaId.ShouldBe(watched);
    }

    [Fact]
    public async Task Events_tell_the_state_at_once_then_progress_and_every_change_to_the_end()
    {
        var (mediaId, job) = await OrderAsync();
        using var stream = await Http.GetStreamAsync($"/v1/media/{mediaId}/events").WaitAsync(Limit);
        using var events = new StreamReader(stream);
        var (name, data) = await EventAsync(events, "media");
        ((string)data["state"]!).ShouldBe("processing");

        var probe = new JobTask { TaskId = "probe", Kind = TaskKind.Probe, State = TaskState.Running, Fraction = 0.5 };
        job.Say(e => e.Progress = new JobProgress { Tasks = { probe } }, transient: true);
        (name, data) = await EventAsync(events, "progress");
        ((string)data["tasks"]![0]!["task_id"]!).ShouldBe("probe");
        ((double)data["tasks"]![0]!["fraction"]!).ShouldBe(0.5);

        Plan(job, chunks: 1, audio: false);
        await CommitChunkAsync(mediaId, job, 0);
        End(job, JobState.Done);
        do
        {
            (name, data) = await EventAsync(events, "media");
        }
        while ((string)data["state"]! != "ready");

        using (await Http.DeleteAsync($"/v1/media/{mediaId}"))
        {
        }

        (name, _) = await EventAsync(events, "deleted");
        name.ShouldBe("deleted");
        (await events.ReadToEndAsync().WaitAsync(Limit)).Trim().ShouldBeEmpty();
    }

    [Fact]
    public async Task Open_event_streams_do_not_hold_up_the_end_of_the_node()
    {
        var (mediaId, _) = await OrderAsync();
        using var stream = await Http.GetStreamAsync($"/v1/media/{mediaId}/events").WaitAsync(Limit);
        using var events = new StreamReader(stream);
        await EventAsync(events, "media");
        var start = TimeProvider.System.GetTimestamp();
        await ReopenAsync();
        TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(9));
    }

    [Fact]
    public async Task Events_of_an_unknown_media_are_not_found()
    {
        using var answer = await Http.GetAsync("/v1/media/01k00000000000000000000000/events");
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static async Task<MediaChange> NextAsync(AsyncServerStreamingCall<MediaChange> call)
    {
        (await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Limit)).ShouldBeTrue();
        return call.ResponseStream.Current;
    }

    // The next event of that name; others may come between.
    private static async Task<(string Name, JsonNode Data)> EventAsync(StreamReader events, string wanted)
    {
        var name = "";
        while (await events.ReadLineAsync().WaitAsync(Limit) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                name = line["event: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal) && name == wanted)
            {
                return (name, JsonNode.Parse(line["data: ".Length..])!);
            }
        }

        throw new InvalidOperationException($"the stream ended without '{wanted}'");
    }
}
