using Grpc.Core;
using Grpc.Net.Client.Retries;
using Grpc.Telemetry;

namespace Grpc.Net.Client;

sealed class HttpCallInvoker(GrpcChannel channel) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        using var call = AsyncUnaryCall(method, host, options, request);
        return call.ResponseAsync.GetAwaiter().GetResult();
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = Create(method, host, options);
        call.SendUnary(request);
        return new(call.ReadSingleAsync(), call.ResponseHeaders, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = Create(method, host, options);
        call.SendUnary(request);
        return new(
            new ResponseReader<TRequest, TResponse>(call),
            call.ResponseHeaders,
            call.GetStatus,
            call.GetTrailers,
            call.Dispose);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = Create(method, host, options);
        call.SendStream();
        var response = call.ReadSingleAsync();
        return new(
            new RequestWriter<TRequest, TResponse>(call, response),
            response,
            call.ResponseHeaders,
            call.GetStatus,
            call.GetTrailers,
            call.Dispose);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = Create(method, host, options);
        call.SendStream();
        return new(
            new RequestWriter<TRequest, TResponse>(call, response: null),
            new ResponseReader<TRequest, TResponse>(call),
            call.ResponseHeaders,
            call.GetStatus,
            call.GetTrailers,
            call.Dispose);
    }

    ClientCall<TRequest, TResponse> Create<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
        where TRequest : class
        where TResponse : class
    {
        var telemetry = new ClientCallTelemetry(method.Label, channel.Address.Host, channel.Time, channel.Logger);
        return channel.Retries.For(method) is { } rules
            ? new RetryingCall<TRequest, TResponse>(channel, method, host, options, rules) { Telemetry = telemetry }
            : new HttpCall<TRequest, TResponse>(channel, method, host, options, telemetry) { Telemetry = telemetry };
    }
}
