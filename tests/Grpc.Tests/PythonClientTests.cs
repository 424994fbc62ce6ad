using System.Text.Json;
using Grpc.Core;

namespace Hexcast.Grpc.Tests;

/// <summary>grpcio's client, one run for all tests, against this project's server.</summary>
public sealed class PythonClientRun : IAsyncLifetime
{
    JsonDocument? _results;

    public JsonElement this[string name] => _results!.RootElement.GetProperty(name);

    public async ValueTask InitializeAsync()
    {
        await using var host = await ProbeHost.StartAsync(Wiring.Tcp, new ProbeHandlers
        {
            Unary = Unary,
            Download = Download,
            Upload = Upload,
            Talk = Talk,
        });
        await using var client = await PythonPeer.StartAsync("client.py", host.Address.Authority);
        _results = JsonDocument.Parse(await client.ReadToEndAsync());
        await ServerSawCancellations.Task.Within();
    }

    public ValueTask DisposeAsync()
    {
        _results?.Dispose();
        return ValueTask.CompletedTask;
    }

    int _cancellations;

    /// <summary>Done once the call past its deadline and the cancelled one were cancelled here too.</summary>
    TaskCompletionSource ServerSawCancellations { get; } = new();

    async Task<ProbeReply> Unary(ProbeRequest request, ServerCallContext context)
    {
        switch (request.Text)
        {
            case "fail":
                throw new RpcException(
                    new Status(StatusCode.NotFound, "Größe 🎬 100 %"),
                    new Metadata { { "x-tail", "t" }, { "x-tail-bin", [0, 255] } });
            case "raise":
                throw new InvalidOperationException("on purpose");
            case "wait":
                await WaitForEnd(context);
                break;
            case "metadata":
                var text = context.RequestHeaders.GetValue("x-text")!;
                var bytes = context.RequestHeaders.GetValueBytes("x-bytes-bin")!;
                await context.WriteResponseHeadersAsync(new Metadata { { "x-head", text }, { "x-head-bin", bytes } });
                context.ResponseTrailers.Add("x-tail", text);
                context.ResponseTrailers.Add("x-tail-bin", bytes);
                break;
        }

        return new ProbeReply { Text = request.Text, Count = request.Count, Data = request.Data };
    }

    async Task Download(
        ProbeRequest request, IServerStreamWriter<ProbeReply> responses, ServerCallContext context)
    {
        if (request.Text == "wait")
        {
            await responses.WriteAsync(new ProbeReply { Text = "started" });
            await WaitForEnd(context);
        }

        for (var i = 0; i < request.Count; i++)
            await responses.WriteAsync(new ProbeReply { Count = i });
        if (request.Text == "fail")
            throw new RpcException(new Status(StatusCode.DataLoss, "the rest is gone"));
    }

    static async Task<ProbeReply> Upload(IAsyncStreamReader<ProbeRequest> requests, ServerCallContext context)
    {
        var sum = 0;
        await foreach (var request in requests.ReadAllAsync())
        {
            if (request.Text == "enough")
                throw new RpcException(new Status(StatusCode.ResourceExhausted, "enough"));
            sum += request.Count;
        }

        return new ProbeReply { Count = sum };
    }

    static async Task Talk(
        IAsyncStreamReader<ProbeRequest> requests, IServerStreamWriter<ProbeReply> responses, ServerCallContext context)
    {
        await foreach (var request in requests.ReadAllAsync())
            await responses.WriteAsync(new ProbeReply { Count = request.Count });
    }

    async Task WaitForEnd(ServerCallContext context)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }
        finally
        {
            if (Interlocked.Increment(ref _cancellations) == 2)
                ServerSawCancellations.SetResult();
        }
    }
}

public sealed class PythonClientTests(PythonClientRun run) : IClassFixture<PythonClientRun>
{
    [Fact]
    public void Grpcio_client_makes_all_four_kinds_of_calls()
    {
        run["unary"].GetInt32().ShouldBe(7);
        run["download"].EnumerateArray().Select(count => count.GetInt32()).ShouldBe(Enumerable.Range(0, 500));
        run["upload"].GetInt32().ShouldBe(125_250);
        run["talk"].EnumerateArray().Select(count => count.GetInt32()).ShouldBe(Enumerable.Range(0, 200));
        run["big"].GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public void Grpcio_client_exchanges_metadata_and_trailers_with_this_server()
    {
        var metadata = run["metadata"];
        metadata.GetProperty("code").GetString().ShouldBe("OK");
        foreach (var (part, key) in new[] { ("head", "x-head"), ("tail", "x-tail") })
        {
            metadata.GetProperty(part).GetProperty(key).GetString().ShouldBe("some text");
            metadata.GetProperty(part).GetProperty($"{key}-bin").EnumerateArray().Select(b => b.GetInt32())
                .ShouldBe([0, 1, 255]);
        }
    }

    [Theory]
    [InlineData("fail", "NOT_FOUND", "Größe 🎬 100 %")]
    [InlineData("raise", "UNKNOWN", "Exception was thrown by handler.")]
    [InlineData("missing", "UNIMPLEMENTED", "Method is unimplemented.")]
    [InlineData("fail after messages", "DATA_LOSS", "the rest is gone")]
    [InlineData("early answer", "RESOURCE_EXHAUSTED", "enough")]
    public void Grpcio_client_sees_the_status_that_this_server_sends(string call, string code, string details)
    {
        run[call].GetProperty("code").GetString().ShouldBe(code);
        run[call].GetProperty("details").GetString().ShouldBe(details);
    }

    [Theory]
    [InlineData("too big", "RESOURCE_EXHAUSTED")]
    [InlineData("deadline", "DEADLINE_EXCEEDED")]
    [InlineData("cancel", "CANCELLED")]
    public void Grpcio_clients_calls_end_as_they_must(string call, string code) =>
        run[call].GetProperty("code").GetString().ShouldBe(code);

    [Fact]
    public void Grpcio_client_reads_trailers_of_a_failed_call_and_messages_before_it()
    {
        run["fail"].GetProperty("tail").GetProperty("x-tail").GetString().ShouldBe("t");
        run["fail after messages"].GetProperty("counts").EnumerateArray().Select(count => count.GetInt32())
            .ShouldBe([0, 1]);
    }
}
