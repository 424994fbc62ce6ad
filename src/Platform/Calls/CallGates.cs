using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Hexcast.Platform.Errors;

namespace Hexcast.Platform.Calls;

/// <summary>
/// Holds each gRPC method to its <see cref="CallLimits"/>. A refused caller gets RESOURCE_EXHAUSTED and is told when to
/// try again, both as a detail for its code and as the pushback that gRPC's own retries obey.
/// </summary>
internal sealed class CallGates(GrpcOptions options, TimeProvider clock) : Interceptor
{
    private const string Pushback = "grpc-retry-pushback-ms";

    private readonly ConcurrentDictionary<string, Method> methods = new(StringComparer.Ordinal);
    private readonly long start = clock.GetTimestamp();

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        using var _ = await AdmitAsync(context, MethodType.Unary);
        return await continuation(request, context);
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using var _ = await AdmitAsync(context, MethodType.ClientStreaming);
        return await continuation(requestStream, context);
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using var _ = await AdmitAsync(context, MethodType.ServerStreaming);
        await continuation(request, responseStream, context);
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using var _ = await AdmitAsync(context, MethodType.DuplexStreaming);
        await continuation(requestStream, responseStream, context);
    }

    private ValueTask<Slot> AdmitAsync(ServerCallContext context, MethodType type)
    {
        var method = methods.GetOrAdd(
            context.Method,
            static (name, args) => new Method(args.options.LimitsOf(name) ?? CallLimits.DefaultOf(args.type)),
            (options, type));
        return method.AdmitAsync(
            CallClasses.Of(context.RequestHeaders), clock.GetElapsedTime(start), context.CancellationToken);
    }

    private static RpcException Refused(TimeSpan retryAfter)
    {
        var status = new Google.Rpc.Status
        {
            Code = (int)StatusCode.ResourceExhausted,
            Message = $"Too many calls of this method. Try again in {retryAfter.TotalSeconds:0.###} s.",
            Details = { Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(retryAfter) }) },
        };
        var refused = GrpcErrors.Wrap(ErrorCodes.ResourceExhausted, status);
        refused.Trailers.Add(Pushback, $"{Math.Ceiling(retryAfter.TotalMilliseconds):0}");
        return refused;
    }

    /// <summary>The gate of one method, and who waits at it.</summary>
    private sealed class Method(CallLimits limits)
    {
        private readonly Lock turn = new();
        private readonly CallGate gate = new(limits);
        private readonly Dictionary<long, TaskCompletionSource> waiting = [];
        private long lastCall;

        public async ValueTask<Slot> AdmitAsync(CallClass callClass, TimeSpan now, CancellationToken cancel)
        {
            long call;
            TaskCompletionSource turnComes;
            lock (turn)
            {
                call = ++lastCall;
                switch (gate.Arrive(call, callClass, now, out var retryAfter))
                {
                    case Admission.Runs:
                        return new Slot(this);
                    case Admission.Refused:
                        throw Refused(retryAfter);
                }

                turnComes = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting.Add(call, turnComes);
            }

            using (cancel.UnsafeRegister(_ => Abandon(call, cancel), null))
            {
                await turnComes.Task;
            }

            return new Slot(this);
        }

        public void Leave()
        {
            TaskCompletionSource? next = null;
            lock (turn)
            {
                if (gate.Leave() is { } call)
                {
                    waiting.Remove(call, out next);
                }
            }

            next?.SetResult();
        }

        private void Abandon(long call, CancellationToken cancel)
        {
            TaskCompletionSource? gone = null;
            lock (turn)
            {
                if (gate.Abandon(call))
                {
                    waiting.Remove(call, out gone);
                }
            }

            gone?.SetCanceled(cancel);
        }
    }

    /// <summary>The right to run, given back at its end.</summary>
    private readonly struct Slot(Method method) : IDisposable
    {
        public void Dispose() => method.Leave();
    }
}
