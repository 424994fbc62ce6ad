using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Hexcast.Grpc;
using Microsoft.AspNetCore.Http;

namespace Grpc.Telemetry;

/// <summary>
/// Spans and durations of calls of all kinds, on both sides, by OpenTelemetry's conventions for gRPC
/// (https://opentelemetry.io/docs/specs/semconv/rpc/grpc/). A call has spans where its caller has a trace: calls that
/// nobody's work is behind, such as a node's own streams, which live as long as it does, make none.
/// </summary>
static class CallTelemetry
{
    const string Name = "Hexcast.Grpc";
    const string SystemName = "rpc.system.name";
    const string GrpcSystem = "grpc";
    const string RpcMethod = "rpc.method";
    const string ResponseStatusCode = "rpc.response.status_code";
    const string ErrorType = "error.type";
    const string ServerAddress = "server.address";

    static readonly ActivitySource Source = new(Name);
    static readonly Meter Meter = new(Name);

    // Calls within one process take fractions of a millisecond.
    static readonly InstrumentAdvice<double> Buckets = new()
    {
        HistogramBucketBoundaries =
            [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    static readonly Histogram<double> ServerDuration = Meter.CreateHistogram(
        "rpc.server.call.duration", "s", "How long gRPC calls took where they are served", tags: null, Buckets);

    static readonly Histogram<double> ClientDuration = Meter.CreateHistogram(
        "rpc.client.call.duration", "s", "How long gRPC calls took for their caller", tags: null, Buckets);

    /// <summary>By number, as the conventions and gRPC itself write them.</summary>
    static readonly string[] StatusNames =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ];

    /// <summary>Current from then on in the asynchronous method that asks for it.</summary>
    public static Activity? StartServer(HttpContext http, string method)
    {
        if (!Source.HasListeners())
            return null;
        var parent = TraceHeaders.Read(http.Request.Headers);
        return parent == default ? null : Start(method, ActivityKind.Server, parent);
    }

    public static void EndServer(Activity? span, string method, StatusCode status, TimeSpan duration)
    {
        if (ServerDuration.Enabled)
        {
            var tags = new TagList
            {
                { SystemName, GrpcSystem },
                { RpcMethod, method },
                { ResponseStatusCode, Of(status) },
            };
            if (IsServersError(status))
                tags.Add(ErrorType, Of(status));
            ServerDuration.Record(duration.TotalSeconds, tags);
        }

        if (span is null)
            return;
        Note(span, status, IsServersError(status));
        span.Dispose();
    }

    /// <summary>Of a call within the current span, which stays current.</summary>
    public static Activity? StartClient(string method, string serverAddress)
    {
        if (Activity.Current is not { } around || !Source.HasListeners())
            return null;
        var span = Start(method, ActivityKind.Client, default)?.SetTag(ServerAddress, serverAddress);
        Activity.Current = around;
        return span;
    }

    public static void EndClient(
        Activity? span, string method, string serverAddress, StatusCode status, TimeSpan duration)
    {
        if (ClientDuration.Enabled)
        {
            var tags = new TagList
            {
                { SystemName, GrpcSystem },
                { RpcMethod, method },
                { ResponseStatusCode, Of(status) },
                { ServerAddress, serverAddress },
            };
            if (status != StatusCode.OK)
                tags.Add(ErrorType, Of(status));
            ClientDuration.Record(duration.TotalSeconds, tags);
        }

        if (span is null)
            return;
        Note(span, status, status != StatusCode.OK);
        // Its end may come anywhere, and is nobody's else.
        var around = Activity.Current;
        span.Dispose();
        Activity.Current = around;
    }

    static Activity? Start(string method, ActivityKind kind, ActivityContext parent) =>
        Source.StartActivity(method, kind, parent)?
            .SetTag(SystemName, GrpcSystem)
            .SetTag(RpcMethod, method);

    static void Note(Activity span, StatusCode status, bool isError)
    {
        span.SetTag(ResponseStatusCode, Of(status));
        if (isError)
            span.SetTag(ErrorType, Of(status)).SetStatus(ActivityStatusCode.Error);
    }

    // What a caller did wrong is none of the server's.
    static bool IsServersError(StatusCode status) => status is StatusCode.Unknown or StatusCode.DeadlineExceeded
        or StatusCode.Unimplemented or StatusCode.Internal or StatusCode.Unavailable or StatusCode.DataLoss;

    static string Of(StatusCode status) => StatusNames[(uint)status < StatusNames.Length ? (int)status : 2];
}
