using System.Net;
using System.Text.Json.Nodes;
using Hexcast.Harness.Otlp;

namespace Hexcast.EndToEnd;

/// <summary>One upload is one trace, from its first byte to its first viewer, whoever works on it and however often the
/// platform is started anew meanwhile.</summary>
public sealed class TraceTests : IDisposable
{
    private const string ClientsTrace = "11111111111111111111111111111111";
    private const string ClientsSpan = "2222222222222222";
    private const string OtherTrace = "33333333333333333333333333333333";

    // What a person or a client says of itself; no log and no trace repeats it.
    private const string Title = "Private title", Filename = "Private name.mp4", ClientAddress = "203.0.113.77";
    private static readonly TimeSpan ExportLimit = TimeSpan.FromSeconds(30);

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task An_upload_is_one_trace_across_processes_and_restarts()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var platform = await PlatformProcess.StartAsync(
            Path.Combine(folder.Path, "data"),
            settings: new Dictionary<string, string>
            {
                ["Telemetry:OtlpEndpoint"] = receiver.Http,
                ["Access:TrustedProxies:0"] = "127.0.0.1",
            });
        platform.Http.DefaultRequestHeaders.Add("X-Forwarded-For", ClientAddress);
        var id = await UploadAcrossARestartAsync(platform);
        await platform.Api.WaitForAsync(id, "ready");
        await FailAsync(platform);
        await PlayAsync(platform, id);
        await WaitForSpanAsync(receiver, "first play");
        (await platform.StopAsync()).ShouldBe(0);
        await platform.StartAgainAsync();
        await PlayAsync(platform, id);
        (await platform.StopAsync()).ShouldBe(0);

        var trace = new Trace([.. receiver.Spans.Where(s => s.TraceId == ClientsTrace)]);
        trace.ShouldHangTogetherBelow(ClientsSpan);
        var upload = trace.Only("POST /v1/uploads");
        upload.Parent.ShouldBe(ClientsSpan);
        upload.Tags["hexcast.media_id"].ShouldBe(id);
        upload.Tags["http.response.status_code"].ShouldBe("201");
        upload.Resource["service.name"].ShouldBe("hexcast");

        var patches = trace.Below(upload, "PATCH /v1/uploads/{media_id}");
        patches.Count.ShouldBe(2);
        patches[0].LinkedTraces.ShouldBeEmpty();
        patches[1].LinkedTraces.ShouldBe([OtherTrace]);
        patches.ForEach(patch => trace.Below(patch, "upload.receive").Count.ShouldBe(1));
        var publish = trace.Below(patches[1], "upload.publish").ShouldHaveSingleItem();
        trace.ShouldCall(publish, "hexcast.v1.Catalog/CompleteUpload");

        var outbox = trace.Below(upload, "outbox media.uploaded").ShouldHaveSingleItem();
        outbox.Start.ShouldBeInRange(publish.Start, publish.End);
        var ordered = trace.ShouldCall(outbox, "hexcast.v1.Transcoder/Transcode");
        var order = trace.Below(ordered, "job.create").ShouldHaveSingleItem();
        CheckTasks(trace, order);

        foreach (var reached in (string[])["media playable", "media ready"])
        {
            trace.Below(upload, reached).Count.ShouldBe(1, reached);
        }

        // The second life has played it too, but not first.
        var played = trace.Below(upload, "first play").ShouldHaveSingleItem();
        played.Tags["hexcast.play.object"].ShouldBe("manifest");
        played.Start.ShouldBeGreaterThan(trace.Only("media playable").Start);

        trace.Spans.ShouldAllBe(span => span.Start <= span.End && !span.Failed);
        CheckLog(platform.Log, id);
        // That it was the client's address, and that it stands where it should, says the audit log.
        (await File.ReadAllTextAsync(Path.Combine(platform.DataFolder, "audit/audit-000001.jsonl")))
            .ShouldContain($"\"address\":\"{ClientAddress}\"");
        foreach (var personal in (string[])[Title, Filename, ClientAddress])
        {
            receiver.Spans.SelectMany(s => s.Tags.Values.Append(s.Name))
                .ShouldAllBe(value => !value.Contains(personal));
            platform.Log.Split('\n').Where(line => line.Contains(personal)).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task Traces_go_by_gRPC_too_and_b3_is_understood()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var platform = await PlatformProcess.StartAsync(
            Path.Combine(folder.Path, "data"),
            settings: new Dictionary<string, string>
            {
                ["Telemetry:OtlpEndpoint"] = receiver.Grpc,
                ["Telemetry:OtlpProtocol"] = "Grpc",
            });
        await AskAsync(platform, ("b3", $"{ClientsTrace}-{ClientsSpan}-1"));
        await AskAsync(platform, ("X-B3-TraceId", OtherTrace[..16]), ("X-B3-SpanId", ClientsSpan));
        await AskAsync(platform, ("X-B3-TraceId", "no trace"), ("X-B3-SpanId", "of a kind"));
        (await platform.StopAsync()).ShouldBe(0);

        var asked = receiver.Spans.Where(s => s.Name == "GET /v1/media").ToList();
        asked.Count.ShouldBe(3);
        asked[0].TraceId.ShouldBe(ClientsTrace);
        asked[1].TraceId.ShouldBe(OtherTrace[..16].PadLeft(32, '0'));
        asked[2].Parent.ShouldBe("");
    }

    [Fact]
    public async Task A_receiver_that_is_away_or_never_answers_holds_nobody_up()
    {
        using var silent = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var platform = await PlatformProcess.StartAsync(
            Path.Combine(folder.Path, "data"),
            settings: new Dictionary<string, string> { ["Telemetry:OtlpEndpoint"] = $"http://{silent.LocalEndpoint}" });
        for (var i = 0; i < 3000; i++)
        {
            await AskAsync(platform);
        }

        (await platform.StopAsync()).ShouldBe(0);
        platform.Log.ShouldNotContain("did not stop as it should");
    }

    private static void CheckTasks(Trace trace, ReceivedSpan order)
    {
        var job = trace.Below(order, "job").ShouldHaveSingleItem();
        job.Tags["hexcast.outcome"].ShouldBe("done");
        var tasks = trace.Spans.Where(s => s.Parent == order.SpanId && s.Name.StartsWith("task ")).ToList();
        tasks.Select(t => t.Name).Distinct().ShouldBe(
            ["task probe", "task encode_chunk", "task encode_audio", "task poster", "task storyboard", "task publish"],
            ignoreOrder: true);
        foreach (var task in tasks)
        {
            task.Tags["hexcast.outcome"].ShouldBe("committed");
            task.Tags["hexcast.attempt"].ShouldBe("1");
            job.Start.ShouldBeLessThanOrEqualTo(task.Start);
            job.End.ShouldBeGreaterThanOrEqualTo(task.End);
            var waited = trace.Below(order, "queue")
                .Where(q => q.Tags["hexcast.task_id"] == task.Tags["hexcast.task_id"]).ShouldHaveSingleItem();
            waited.Start.ShouldBeLessThanOrEqualTo(task.Start);
        }

        foreach (var (kind, tool) in new[] { ("probe", "ffprobe"), ("encode_chunk", "ffmpeg"), ("poster", "ffmpeg") })
        {
            var runs = trace.Below(tasks.First(t => t.Name == "task " + kind), tool);
            runs.ShouldNotBeEmpty(kind);
            runs.ShouldAllBe(run => run.Tags["process.exit.code"] == "0");
            runs.ShouldAllBe(run => run.Tags.ContainsKey("hexcast.cpu_seconds"));
        }
    }

    // One look in the log by the trace shows the whole life as well.
    private static void CheckLog(string log, string id)
    {
        var lines = log.Split('\n').Where(l => l.StartsWith('{')).Select(l => JsonNode.Parse(l)!).ToList();
        var ours = lines.Where(l => (string?)l["trace_id"] == ClientsTrace).ToList();
        ours.ShouldAllBe(l => (string?)l["media_id"] == id);
        ours.Select(l => (string)l["role"]!).Distinct().ShouldBe(["http", "master", "worker"], ignoreOrder: true);
        ours.Count(l => l["duration_ms"] is not null && l["span_id"] is not null).ShouldBeGreaterThan(5);
        lines.ShouldAllBe(l => (string?)l["service.name"] == "hexcast");
    }

    private async Task<string> UploadAcrossARestartAsync(PlatformProcess platform)
    {
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 3);
        var bytes = await File.ReadAllBytesAsync(clip);
        var half = bytes.Length / 2;
        using var created = await platform.Api.CreateUploadAsync(
            bytes.Length, $"00-{ClientsTrace}-{ClientsSpan}-01", ("title", Title), ("filename", Filename));
        var location = created.Headers.Location!.ToString();
        (await platform.Api.PatchAsync(location, 0, bytes.AsMemory(0, half))).StatusCode
            .ShouldBe(HttpStatusCode.NoContent);
        (await platform.StopAsync()).ShouldBe(0);
        await platform.StartAgainAsync();
        // Ready is not master yet; an order that nobody takes is told a second time, in a span of its own.
        await Wait.ForAsync(
            () => NodeCluster.IsMasterAsync(platform), TimeSpan.FromMinutes(1), () => "it is not the master");
        (await platform.Api.PatchAsync(location, half, bytes.AsMemory(half), $"00-{OtherTrace}-{ClientsSpan}-01"))
            .StatusCode.ShouldBe(HttpStatusCode.NoContent);
        return location.Split('/')[^1];
    }

    // What goes wrong is told at greater length.
    private async Task FailAsync(PlatformProcess platform)
    {
        var file = Path.Combine(folder.Path, Filename);
        await File.WriteAllTextAsync(file, "no media");
        var id = await platform.Api.UploadAsync(file, metadata: ("title", Title));
        await platform.Api.WaitForAsync(id, "failed");
    }

    private static async Task PlayAsync(PlatformProcess platform, string id)
    {
        (await platform.Http.GetStringAsync($"/play/{id}/master.m3u8")).ShouldStartWith("#EXTM3U");
        (await platform.Http.GetStringAsync($"/play/{id}/manifest.mpd")).ShouldContain("<MPD");
    }

    private static async Task AskAsync(PlatformProcess platform, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/media");
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        using var answer = await platform.Http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static Task WaitForSpanAsync(OtlpReceiver receiver, string name) => Wait.ForAsync(
        () => Task.FromResult(receiver.Spans.Any(s => s.Name == name)), ExportLimit, () => $"no span {name} came");

    /// <summary>The spans of one trace.</summary>
    private sealed record Trace(List<ReceivedSpan> Spans)
    {
        public ReceivedSpan Only(string name) => Spans.Where(s => s.Name == name).ShouldHaveSingleItem();

        public List<ReceivedSpan> Below(ReceivedSpan parent, string name) =>
            [.. Spans.Where(s => s.Parent == parent.SpanId && s.Name == name).OrderBy(s => s.Start)];

        /// <summary>The caller's span, and the server's below it.</summary>
        public ReceivedSpan ShouldCall(ReceivedSpan caller, string method) =>
            Below(Below(caller, method).ShouldHaveSingleItem(), method).ShouldHaveSingleItem();

        public void ShouldHangTogetherBelow(string root)
        {
            var known = Spans.Select(s => s.SpanId).Append(root).ToHashSet();
            Spans.Where(s => !known.Contains(s.Parent)).ShouldBeEmpty();
        }
    }
}
