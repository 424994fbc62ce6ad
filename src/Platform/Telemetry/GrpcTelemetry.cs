using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Hexcast.Platform.Telemetry;

/// <summary>
/// Spans and durations of the calls between roles, on both sides; the context travels as the metadata "traceparent".
/// Only of unary calls: a stream lives as long as its node, and what it carries has contexts of its own.
/// </summary>
internal sealed class GrpcTelemetry(TimeProvider clock) : Interceptor
{
    private static readonly ActivitySource Source = new("Hexcast.Grpc");
    public static readonly Meter Meter = new("Hexcast.Grpc");

    private static readonly Histogram<double> Duration = Meter.CreateHistogram(
        "rpc.server.duration", "s", "How long unary calls between roles took where they are served",
        tags: null, Buckets.Fast);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        if (Activity.Current is not { } around)
        {
            return continuation(request, context);
        }

        var span = Start(context.Method.FullName, ActivityKind.Client, default);
        // This method is not asynchronous, so the caller's own current span is put back.
        Activity.Current = around;
        var headers = new Metadata();
        foreach (var entry in context.Options.Headers ?? Metadata.Empty)
        {
            headers.Add(entry);
        }

        headers.Add("traceparent", (span ?? around).Id!);
        if ((span ?? around).TraceStateString is { Length: > 0 } state)
        {
            headers.Add("tracestate", state);
        }

        var call = continuation(request, new ClientInterceptorContext<TRequest, TResponse>(
            context.Method, context.Host, context.Options.WithHeaders(headers)));
        return span is null ? call : new AsyncUnaryCall<TResponse>(
            EndAsync(call.ResponseAsync, span), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers,
            call.Dispose);
    }

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        var started = clock.GetTimestamp();
        var parent = TraceContexts.Of(context.GetHttpContext().Request.Headers);
        using var span = parent.IsValid() ? Start(context.Method, ActivityKind.Server, parent) : null;
        var status = StatusCode.Unknown;
        try
        {
            var answer = await continuation(request, context);
            status = context.Status.StatusCode;
            return answer;
        }
        catch (RpcException failure)
        {
            status = failure.StatusCode;
            throw;
        }
        finally
        {
            Note(span, status);
            Duration.Record(
                clock.GetElapsedTime(started).TotalSeconds,
                new("rpc.method", context.Method.TrimStart('/')),
                new("rpc.grpc.status_code", StatusNames[(int)status]));
        }
    }

    private static async Task<TResponse> EndAsync<TResponse>(Task<TResponse> response, Activity span)
    {
        var status = StatusCode.Unknown;
        try
        {
            var answer = await response;
            status = StatusCode.OK;
            return answer;
        }
        catch (RpcException failure)
        {
            status = failure.StatusCode;
            throw;
        }
        finally
        {
            Note(span, status);
            span.Dispose();
        }
    }

    // "/hexcast.v1.Catalog/CompleteUpload"
    private static Activity? Start(string method, ActivityKind kind, ActivityContext parent)
    {
        var name = method.TrimStart('/');
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return Source.StartActivity(name, kind, parent)?
            .SetTag("rpc.system", "grpc")
            .SetTag("rpc.service", name[..Math.Max(0, slash)])
            .SetTag("rpc.method", name[(slash + 1)..]);
    }

    private static void Note(Activity? span, StatusCode status)
    {
        span?.SetTag("rpc.grpc.status_code", (int)status);
        if (status != StatusCode.OK)
        {
            span?.SetTag(SpanTags.ErrorType, StatusNames[(int)status]).SetStatus(ActivityStatusCode.Error);
        }
    }

    private static readonly string[] StatusNames = Enum.GetNames<StatusCode>();
}
