using System.Text;
using Hexcast.App.Cli;
using Hexcast.App.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Hexcast.App.Tests;

public sealed class TusUploadTests : IDisposable
{
    private const int FileBytes = 3_000_000;
    private readonly string file = Path.GetTempFileName();

    public TusUploadTests()
    {
        var content = new byte[FileBytes];
        new Random(7).NextBytes(content);
        File.WriteAllBytes(file, content);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => File.Delete(file);

    [Fact]
    public async Task A_file_arrives_whole_and_its_metadata_with_it()
    {
        var tus = new TusEndpoint();
        await using var server = await ApiServer.StartAsync(tus.Map);
        using var client = new HexcastClient(server.Address, TimeProvider.System);
        var seen = new List<(long Done, long All)>();

        var id = await new TusUpload(client, TimeProvider.System).RunAsync(
            new UploadRequest(file, "Städtetour", "720p_h264_aac") { Tags = ["a", "b"] },
            (done, all) => seen.Add((done, all)),
            Cancel);

        id.ShouldBe("media1");
        tus.Received.ShouldBe(await File.ReadAllBytesAsync(file, Cancel));
        tus.Metadata.ShouldNotBeNull();
        tus.Metadata.ShouldContain($"title {Base64("Städtetour")}");
        tus.Metadata.ShouldContain($"preset {Base64("720p_h264_aac")}");
        tus.Metadata.ShouldContain($"tags {Base64("a,b")}");
        seen[^1].ShouldBe((FileBytes, FileBytes));
    }

    [Fact]
    public async Task A_lost_connection_goes_on_from_what_the_server_holds()
    {
        var tus = new TusEndpoint(1_000_000, 500_000);
        await using var server = await ApiServer.StartAsync(tus.Map);
        using var client = new HexcastClient(server.Address, TimeProvider.System);

        await new TusUpload(client, TimeProvider.System).RunAsync(new UploadRequest(file), (_, _) => { }, Cancel);

        tus.Received.ShouldBe(await File.ReadAllBytesAsync(file, Cancel));
        tus.PatchOffsets.ShouldBe([0, 1_000_000, 1_500_000]);
    }

    [Fact]
    public async Task A_lost_last_answer_is_asked_for_again_without_sending_a_byte_twice()
    {
        var tus = new TusEndpoint { LoseLastAnswer = true };
        await using var server = await ApiServer.StartAsync(tus.Map);
        using var client = new HexcastClient(server.Address, TimeProvider.System);

        await new TusUpload(client, TimeProvider.System).RunAsync(new UploadRequest(file), (_, _) => { }, Cancel);

        tus.Received.Length.ShouldBe(FileBytes);
        tus.PatchOffsets.ShouldBe([0, FileBytes]);
    }

    [Fact]
    public async Task A_refusal_ends_the_upload_with_the_servers_words()
    {
        await using var server = await ApiServer.StartAsync(http => http.MapPost("/v1/uploads", () => Results.Json(
            new { code = "unknown_preset", detail = "there is no preset 'x'" },
            contentType: "application/problem+json",
            statusCode: 400)));
        using var client = new HexcastClient(server.Address, TimeProvider.System);

        var refused = await Should.ThrowAsync<CliException>(() => new TusUpload(client, TimeProvider.System).RunAsync(
            new UploadRequest(file, Preset: "x"), (_, _) => { }, Cancel));

        refused.ExitCode.ShouldBe(ExitCode.Failed);
        refused.Message.ShouldBe("there is no preset 'x' (unknown_preset)");
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
