using System.Net;
using Hexcast.Testing;

namespace Hexcast.Upload.Tests;

public sealed class TakeoverTests : UploadFixture
{
    protected override (string, string)[] Settings =>
        [("Upload:IdleTimeout", "00:00:05"), ("Upload:MaxWriters", "2")];

    [Fact]
    public async Task A_new_request_takes_over_from_a_stuck_one_and_keeps_its_bytes()
    {
        var file = Bytes(3_000_000);
        var location = await CreateAsync(file.Length);
        var stuck = new Stuck(file, 1_500_000);
        var old = PatchAsync(location, 0, stuck);
        await Eventually.HoldsAsync(async () => await OffsetAsync(location) == 1_500_000, "the request does not run");

        using var taken = await PatchAsync(location, 1_500_000, file.AsMemory(1_500_000));

        taken.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await SourceAsync(location)).ShouldBe(file);
        stuck.Release();
        await Should.ThrowAsync<HttpRequestException>(old);
    }

    [Fact]
    public async Task A_request_without_a_byte_for_too_long_is_ended_and_its_bytes_are_kept()
    {
        var location = await CreateAsync(5000);
        var stuck = new Stuck(Bytes(5000), 1000);
        var running = PatchAsync(location, 0, stuck);

        // Nobody asks for the offset: that would make it durable too.
        await Eventually.HoldsAsync(
            () => File.ReadAllText(PathOf(location, ".journal")).Contains("\"Offset\":1000"), "the bytes are not kept");
        stuck.Release();
        await Should.ThrowAsync<HttpRequestException>(running);
    }

    [Fact]
    public async Task A_running_request_does_not_hold_up_the_end_of_the_node_and_its_bytes_are_kept()
    {
        var location = await CreateAsync(5000);
        var stuck = new Stuck(Bytes(5000), 1000);
        // Of its own: the node's ends with the node.
        using var client = new HttpClient { BaseAddress = Http.BaseAddress };
        stuck.Headers.ContentType = new(OffsetType);
        var request = new HttpRequestMessage(HttpMethod.Patch, location) { Content = stuck };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        request.Headers.Add("Upload-Offset", "0");
        var running = client.SendAsync(request);
        await Eventually.HoldsAsync(async () => await OffsetAsync(location) == 1000, "the request does not run");

        await ReopenAsync();

        (await OffsetAsync(location)).ShouldBe(1000);
        stuck.Release();
        await Should.ThrowAsync<HttpRequestException>(running);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_all_bytes_are_there_the_upload_is_published_however_its_request_ends(bool idle)
    {
        var file = Bytes(3_000_000);
        var location = await CreateAsync(file.Length);
        var stuck = new Stuck(file, file.Length, announced: false);
        var running = PatchAsync(location, 0, stuck);
        await Eventually.HoldsAsync(async () => await OffsetAsync(location) == file.Length, "bytes are lost");
        if (!idle)
        {
            stuck.Release();
        }

        await Eventually.HoldsAsync(
            () => File.ReadAllText(PathOf(location, ".journal")).Contains("\"finished\""), "the upload is not over");
        (await SourceAsync(location)).ShouldBe(file);
        stuck.Release();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task A_cut_connection_keeps_what_had_arrived()
    {
        const int WrittenBytes = 1 << 20;
        var file = Bytes(3_000_000);
        var location = await CreateAsync(file.Length);
        var stuck = new Stuck(file, 2_000_000);
        var running = PatchAsync(location, 0, stuck);
        var part = new FileInfo(PathOf(location, ".part"));
        await Eventually.HoldsAsync(
            () =>
            {
                part.Refresh();
                return part.Exists && part.Length >= WrittenBytes;
            },
            "nothing is written");
        stuck.Release();
        await Should.ThrowAsync<HttpRequestException>(running);

        await Eventually.HoldsAsync(async () => await OffsetAsync(location) >= WrittenBytes, "bytes are lost");
        await Eventually.HoldsAsync(
            async () =>
            {
                // The server may still be storing the last of what had arrived.
                var offset = (int)await OffsetAsync(location);
                using var rest = await PatchAsync(location, offset, file.AsMemory(offset));
                return rest.StatusCode == HttpStatusCode.NoContent;
            },
            "the upload cannot go on");
        (await SourceAsync(location)).ShouldBe(file);
    }
}
