using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Grpc.Net.Client;

namespace Hexcast.Grpc.Tests;

public sealed class TcpTelemetryTests() : TelemetryTests(Wiring.Tcp);

public sealed class InMemoryTelemetryTests() : TelemetryTests(Wiring.InMemory);

/// <summary>Spans, contexts and durations of real calls of every kind, by OpenTelemetry's conventions.</summary>
public abstract class TelemetryTests : IDisposable
{
    const string Trace = "0af7651916cd43dd8448eb211c80319c";
    const string Span = "b7ad6b7169203331";

    static readonly ActivitySource Around = new("Hexcast.Grpc.Tests");

    readonly Wiring _wiring;
    readonly ConcurrentQueue<Activity> _spans = [];
    readonly ConcurrentQueue<(string Instrument, Dictionary<string, object?> Tags)> _durations = [];
    readonly ActivityListener _listener;
    readonly MeterListener _meters = new();
    string? _traceparent;
    Activity? _onServer;

    private protected TelemetryTests(Wiring wiring)
    {
        _wiring = wiring;
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Hexcast.Grpc" or "Hexcast.Grpc.Tests",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _spans.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Hexcast.Grpc")
                listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => _durations.Enqueue(
            (instrument.Name, tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value))));
        _meters.Start();
    }

    public static TheoryData<string> Kinds => ["Unary", "Upload", "Download", "Talk"];

    public void Dispose()
    {
        _listener.Dispose();
        _meters.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Call_within_a_trace_is_a_span_on_either_side(string kind)
    {
        await using var host = await StartAsync();
        using var around = Around.StartActivity("around")!;
        around.TraceStateString = "vendor=1";

        await CallAsync(kind, host, null);

        Activity.Current.ShouldBe(around);
        var (client, server) = await SpansOf(around.TraceId, 2);
        client.ParentSpanId.ShouldBe(around.SpanId);
        server.ParentSpanId.ShouldBe(client.SpanId);
        server.TraceStateString.ShouldBe("vendor=1");
        _traceparent.ShouldBe(client.Id);
        _onServer.ShouldBe(server);
        foreach (var span in new[] { client, server })
        {
            span.DisplayName.ShouldBe($"hexcast.probe.Probe/{kind}");
            span.GetTagItem("rpc.system.name").ShouldBe("grpc");
            span.GetTagItem("rpc.method").ShouldBe($"hexcast.probe.Probe/{kind}");
            span.GetTagItem("rpc.response.status_code").ShouldBe("OK");
            span.Status.ShouldBe(ActivityStatusCode.Unset);
        }

        client.GetTagItem("server.address").ShouldBe(host.BaseAddress.Host);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Context_of_the_request_is_gone_on_from_in_either_form(string kind)
    {
        await using var host = await StartAsync();
        Metadata[] forms =
        [
            new() { { "traceparent", $"00-{Trace}-{Span}-01" } },
            new() { { "b3", $"{Trace}-{Span}-1" } },
            new() { { "X-B3-TraceId", Trace }, { "X-B3-SpanId", Span }, { "X-B3-Sampled", "1" } },
        ];
        foreach (var form in forms)
        {
            await CallAsync(kind, host, form);
            _onServer.ShouldNotBeNull();
            (_onServer.TraceId.ToHexString(), _onServer.ParentSpanId.ToHexString()).ShouldBe((Trace, Span));
        }
    }

    [Fact]
    public async Task Call_without_a_trace_makes_none()
    {
        await using var host = await StartAsync();

        await CallAsync("Talk", host, null);

        _traceparent.ShouldBeNull();
        _onServer.ShouldBeNull();
    }

    [Fact]
    public async Task Failure_is_the_callers_error_and_the_servers_only_where_it_is_to_blame()
    {
        var status = StatusCode.NotFound;
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, _) => throw new RpcException(new Status(status, "")),
        });
        foreach (var isServers in new[] { false, true })
        {
            using var around = Around.StartActivity("around")!;
            status = isServers ? StatusCode.DataLoss : StatusCode.NotFound;
            await Should.ThrowAsync<RpcException>(() => host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync);

            var (client, server) = await SpansOf(around.TraceId, 2);
            client.Status.ShouldBe(ActivityStatusCode.Error);
            client.GetTagItem("error.type").ShouldBe(isServers ? "DATA_LOSS" : "NOT_FOUND");
            server.Status.ShouldBe(isServers ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
            server.GetTagItem("rpc.response.status_code").ShouldBe(isServers ? "DATA_LOSS" : "NOT_FOUND");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Calls_of_every_kind_are_timed_on_either_side(string kind)
    {
        await using var host = await StartAsync();

        await CallAsync(kind, host, null);

        foreach (var instrument in new[] { "rpc.client.call.duration", "rpc.server.call.duration" })
        {
            async Task<Dictionary<string, object?>> FoundAsync()
            {
                while (true)
                {
                    var found = _durations.FirstOrDefault(d => d.Instrument == instrument
                        && d.Tags["rpc.method"] is string name && name.EndsWith($"Probe/{kind}")).Tags;
                    if (found is not null)
                        return found;
                    await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
                }
            }

            var tags = await FoundAsync().Within();
            tags["rpc.system.name"].ShouldBe("grpc");
            tags.ShouldContainKey("rpc.response.status_code");
        }
    }

    Task<ProbeHost> StartAsync() => ProbeHost.StartAsync(_wiring, new ProbeHandlers
    {
        Unary = (_, context) => Task.FromResult(Note(context)),
        Upload = async (requests, context) =>
        {
            while (await requests.MoveNext())
                continue;
            return Note(context);
        },
        Download = async (_, responses, context) => await responses.WriteAsync(Note(context)),
        Talk = async (requests, responses, context) =>
        {
            while (await requests.MoveNext())
                await responses.WriteAsync(Note(context));
        },
    });

    ProbeReply Note(ServerCallContext context)
    {
        _onServer = Activity.Current is { Source.Name: "Hexcast.Grpc" } span ? span : null;
        _traceparent = context.RequestHeaders.GetValue("traceparent");
        return new ProbeReply();
    }

    static async Task CallAsync(string kind, ProbeHost host, Metadata? headers)
    {
        switch (kind)
        {
            case "Unary":
                await host.Client.UnaryAsync(new ProbeRequest(), headers).ResponseAsync.Within();
                break;
            case "Upload":
                using (var call = host.Client.Upload(headers))
                {
                    await call.RequestStream.WriteAsync(new ProbeRequest());
                    await call.RequestStream.CompleteAsync();
                    await call.ResponseAsync.Within();
                }

                break;
            case "Download":
                using (var call = host.Client.Download(new ProbeRequest(), headers))
                    (await call.ResponseStream.ReadAllAsync().CountAsync().AsTask().Within()).ShouldBe(1);
                break;
            default:
                using (var call = host.Client.Talk(headers))
                {
                    await call.RequestStream.WriteAsync(new ProbeRequest());
                    await call.RequestStream.CompleteAsync();
                    (await call.ResponseStream.ReadAllAsync().CountAsync().AsTask().Within()).ShouldBe(1);
                }

                break;
        }
    }

    // The server ends its span a moment after the client has the status.
    async Task<(Activity Client, Activity Server)> SpansOf(ActivityTraceId trace, int count)
    {
        async Task<List<Activity>> Ended()
        {
            while (true)
            {
                var ended = _spans.Where(span => span.TraceId == trace && span.Source.Name == "Hexcast.Grpc").ToList();
                if (ended.Count >= count)
                    return ended;
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            }
        }

        var spans = await Ended().Within();
        return (spans.Single(span => span.Kind == ActivityKind.Client),
            spans.Single(span => span.Kind == ActivityKind.Server));
    }
}
