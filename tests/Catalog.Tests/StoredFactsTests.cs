using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Hexcast.Catalog.Tests;

/// <summary>Rows as they were written on 2026-11-22: whatever the API becomes, they are read.</summary>
public sealed class StoredFactsTests : CatalogFixture
{
    private const string Source =
        """
        {"container":"matroska,webm","video_codec":"h264","audio_codec":null,"width":1920,"height":1080,
        "frame_rate":12.499999999999998,"duration_seconds":14.033333000000002,"frames":175}
        """;

    private const string Renditions =
        """
        [{"id":"h264-720","kind":"video","codec":"avc1.64001f","width":1280,"height":720,
        "frame_rate":29.97002997002997,"channels":null,"sample_rate_hz":null,"segments":3,"size_bytes":10500000,
        "average_bitrate":7000000,"peak_bitrate":9000000,"duration_seconds":11.999999999999998},
        {"id":"aac-128","kind":"audio","codec":"mp4a.40.2","width":null,"height":null,"frame_rate":null,"channels":2,
        "sample_rate_hz":44100,"segments":3,"size_bytes":192000,"average_bitrate":128000,"peak_bitrate":128000,
        "duration_seconds":12.01}]
        """;

    [Fact]
    public async Task Rows_of_before_are_read_and_told_in_numbers_for_people()
    {
        var (mediaId, job) = await OrderAsync();
        Plan(job, chunks: 1, audio: false);
        await CaughtUpAsync(job);
        await Node.DisposeAsync();
        await WriteAsync("UPDATE media SET source_json = @Source", new { Source });
        await WriteAsync("UPDATE version SET renditions_json = @Renditions", new { Renditions });
        await OpenAsync();

        var media = await GetAsync(mediaId);
        media["source"]!.ToJsonString().ShouldBe(Told(
            """
            {"container":"matroska,webm","video_codec":"h264","audio_codec":null,"width":1920,"height":1080,
            "frame_rate":12.5,"duration_seconds":14.033333,"frames":175}
            """));
        media["renditions"]!.ToJsonString().ShouldBe(Told(
            """
            [{"id":"h264-720","kind":"video","codec":"avc1.64001f","width":1280,"height":720,
            "frame_rate":29.97,"channels":null,"sample_rate_hz":null,"segments":3,"size_bytes":10500000,
            "average_bitrate":7000000,"peak_bitrate":9000000,"duration_seconds":12},
            {"id":"aac-128","kind":"audio","codec":"mp4a.40.2","width":null,"height":null,"frame_rate":null,
            "channels":2,"sample_rate_hz":44100,"segments":3,"size_bytes":192000,"average_bitrate":128000,
            "peak_bitrate":128000,"duration_seconds":12.01}]
            """));
    }

    // Numbers stay the text that they are.
    private static string Told(string json) => JsonNode.Parse(json)!.ToJsonString();

    private async Task WriteAsync(string sql, object values)
    {
        var file = Directory.GetFiles(Folder, "*.db", SearchOption.AllDirectories).Single();
        await using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        await connection.ExecuteAsync(sql, values);
    }
}
