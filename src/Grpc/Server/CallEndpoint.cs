using System.Globalization;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Telemetry;
using Grpc.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server;

/// <summary>
/// Runs calls: check the HTTP request, start the context (deadline), read, invoke the handler, write, send the status.
/// This is the boundary where whatever a handler throws becomes a status and is logged once.
/// </summary>
sealed class CallEndpoint(GrpcServiceOptions options, TimeProvider time, ILogger logger)
{
    readonly MessageEncodings _encodings = EncodingsOf(options);

    const int Http2InternalError = 0x2;
    const string HandlerFailed = "Exception was thrown by handler.";

    public Task UnaryAsync<TRequest, TResponse>(
        HttpContext http, Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class =>
        RunAsync(http, method, async (call, requests, responses) =>
            RespondOnce(call, responses, await handler(await requests.ReadSingleAsync(), call)));

    public Task ClientStreamingAsync<TRequest, TResponse>(
        HttpContext http, Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class =>
        RunAsync(http, method, async (call, requests, responses) =>
            RespondOnce(call, responses, await handler(requests, call)));

    public Task ServerStreamingAsync<TRequest, TResponse>(
        HttpContext http, Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class =>
        RunAsync(http, method, async (call, requests, responses) =>
            await handler(await requests.ReadSingleAsync(), responses, call));

    public Task DuplexStreamingAsync<TRequest, TResponse>(
        HttpContext http, Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class =>
        RunAsync(http, method, (call, requests, responses) => handler(requests, responses, call));

    async Task RunAsync<TRequest, TResponse>(
        HttpContext http,
        Method<TRequest, TResponse> method,
        Func<HttpServerCallContext, RequestStream<TRequest>, ResponseStream<TResponse>, Task> invoke)
        where TRequest : class
        where TResponse : class
    {
        if (HttpRequestCheck.Refuse(http))
            return;
        KestrelLimits.Lift(http);
        http.Response.ContentType = GrpcHeaders.ContentType;

        var start = time.GetTimestamp();
        var span = CallTelemetry.StartServer(http, method.Label);
        var ended = StatusCode.Unknown;
        try
        {
            ended = await ServeAsync(http, method, invoke);
        }
        finally
        {
            CallTelemetry.EndServer(span, method.Label, ended, time.GetElapsedTime(start));
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    async ValueTask<StatusCode> ServeAsync<TRequest, TResponse>(
        HttpContext http,
        Method<TRequest, TResponse> method,
        Func<HttpServerCallContext, RequestStream<TRequest>, ResponseStream<TResponse>, Task> invoke)
        where TRequest : class
        where TResponse : class
    {
        HttpServerCallContext call;
        try
        {
            call = new HttpServerCallContext(http, method.FullName, options, _encodings, time);
        }
        catch (RpcException e)
        {
            End(http, e.Status, e.Trailers, hasWritten: false);
            return e.StatusCode;
        }

        using (call)
        {
            using var requests = new RequestStream<TRequest>(call, method.RequestMarshaller.ContextualDeserializer);
            var responses = new ResponseStream<TResponse>(call, method.ResponseMarshaller.ContextualSerializer);
            Status status;
            Metadata? thrownTrailers = null;
            try
            {
                await invoke(call, requests, responses);
                status = call.Status;
            }
            catch (Exception e)
            {
                (status, thrownTrailers) = StatusOf(e, call);
            }

            responses.IsEnded = true;
            if (http.RequestAborted.IsCancellationRequested)
                return call.IsDeadlinePassed ? StatusCode.DeadlineExceeded : StatusCode.Cancelled;
            if (responses.IsBroken)
            {
                http.Features.GetRequiredFeature<IHttpResetFeature>().Reset(Http2InternalError);
                return StatusCode.Internal;
            }

            if (call.IsDeadlinePassed)
                status = new Status(StatusCode.DeadlineExceeded, "The deadline passed before the call was done.");
            return EndSafely(call, status, thrownTrailers);
        }
    }

    static MessageEncodings EncodingsOf(GrpcServiceOptions options)
    {
        var encodings = new MessageEncodings(options.CompressionProviders);
        encodings.Require(options.ResponseCompressionAlgorithm ?? GrpcHeaders.Identity);
        return encodings;
    }

    static void RespondOnce<TResponse>(
        HttpServerCallContext call, ResponseStream<TResponse> responses, TResponse? response)
        where TResponse : class
    {
        // As every gRPC server does: a status other than OK travels without a message.
        if (call.Status.StatusCode != StatusCode.OK || call.IsDeadlinePassed)
            return;
        if (response is null)
            throw new RpcException(new Status(StatusCode.Cancelled, "The method returned no message."));
        responses.Buffer(response);
    }

    (Status Status, Metadata? Trailers) StatusOf(Exception e, HttpServerCallContext call)
    {
        if (e is RpcException rpc)
        {
            logger.LogDebug(e, "The call {Method} ended with {StatusCode}.", call.Method, rpc.StatusCode);
            return (rpc.Status, rpc.Trailers);
        }

        if (e is CallerGoneException
            || (e is OperationCanceledException && call.CancellationToken.IsCancellationRequested))
        {
            logger.LogDebug(e, "The call {Method} was cancelled.", call.Method);
            return (new Status(StatusCode.Cancelled, "The call was cancelled."), null);
        }

        logger.LogError(e, "The method {Method} threw an exception.", call.Method);
        var detail = options.EnableDetailedErrors == true
            ? $"{HandlerFailed} {e.GetType().Name}: {e.Message}"
            : HandlerFailed;
        return (new Status(StatusCode.Unknown, detail, e), null);
    }

    StatusCode EndSafely(HttpServerCallContext call, Status status, Metadata? thrownTrailers)
    {
        try
        {
            End(call.HttpContext, status, Joined(call.TrailersIfAny, thrownTrailers), call.HasWritten);
            return status.StatusCode;
        }
        catch (InvalidOperationException e)
        {
            // Trailers that cannot be sent as headers are the method's mistake.
            logger.LogError(e, "The trailers of {Method} cannot be sent.", call.Method);
            End(call.HttpContext, new Status(StatusCode.Unknown, HandlerFailed), null, call.HasWritten);
            return StatusCode.Unknown;
        }
    }

    static Metadata? Joined(Metadata? ofContext, Metadata? thrown)
    {
        if (ofContext is null || thrown is null || thrown.Count == 0 || ReferenceEquals(ofContext, thrown))
            return ofContext ?? thrown;
        var joined = new Metadata();
        foreach (var entry in ofContext.Concat(thrown))
            joined.Add(entry);
        return joined;
    }

    /// <summary>Into the trailers, or where nothing was sent yet into the only header block (trailers-only).</summary>
    static void End(HttpContext http, Status status, Metadata? trailers, bool hasWritten)
    {
        var fields = hasWritten || http.Response.HasStarted
            ? http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers
            : http.Response.Headers;
        foreach (var entry in trailers ?? Metadata.Empty)
        {
            if (MetadataCodec.Write(entry) is { } value)
                fields.Append(entry.Key, value);
        }

        fields[GrpcHeaders.Status] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        if (status.Detail.Length > 0)
            fields[GrpcHeaders.Message] = StatusMessage.Encode(status.Detail);
    }
}
