using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Calls;

/// <summary>
/// Holds each gRPC method to its <see cref="CallLimits"/>. A refused caller gets RESOURCE_EXHAUSTED and is told when to
/// try again, both as a detail for its code and as the pushback that gRPC's own retries obey. It stands before what
/// reads the request, so that calls that wait or are refused hold no message.
/// </summary>
internal sealed class CallGates(GrpcOptions options, TimeProvider clock)
{
    private static readonly Meter Meter = new("Hexcast.Calls");

    private static readonly Counter<long> Refused = Meter.CreateCounter<long>(
        "rpc.server.refused", "{call}", "Calls refused over their method's limits");

    private readonly ConcurrentDictionary<string, Method> methods = new(StringComparer.Ordinal);
    private readonly long start = clock.GetTimestamp();

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method is not { } called)
        {
            await next(context);
            return;
        }

        var method = methods.GetOrAdd(
            called.FullName,
            static (name, args) =>
            {
                // A counter that was never needed is 0, not absent: alerts count on it.
                Refused.Add(0, MethodTag(name));
                return new Method(args.options.LimitsOf(args.called));
            },
            (options, called));
        var callClass = CallClasses.Of(context.Request.Headers);
        if (!method.TryAdmit(callClass, Now, context.RequestAborted, out var turn, out var retryAfter))
        {
            Refused.Add(1, MethodTag(called.FullName));
            Refuse(context, retryAfter);
            return;
        }

        Slot slot;
        try
        {
            slot = await turn;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller did not wait for its turn.
            return;
        }

        using (slot)
        {
            await next(context);
        }
    }

    private static KeyValuePair<string, object?> MethodTag(string fullName) =>
        new("rpc.method", fullName.TrimStart('/'));

    private TimeSpan Now => clock.GetElapsedTime(start);

    // A status without a message is headers alone (trailers-only, as the gRPC protocol calls it).
    private static void Refuse(HttpContext context, TimeSpan retryAfter)
    {
        var refused = GrpcErrors.Wrap(ErrorCodes.ResourceExhausted, new Google.Rpc.Status
        {
            Code = (int)StatusCode.ResourceExhausted,
            Message = $"Too many calls of this method. Try again in {retryAfter.TotalSeconds:0.###} s.",
            Details = { Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(retryAfter) }) },
        });
        var headers = context.Response.Headers;
        context.Response.ContentType = "application/grpc";
        headers["grpc-status"] = $"{(int)refused.StatusCode}";
        headers["grpc-message"] = refused.Status.Detail;
        foreach (var entry in refused.Trailers)
        {
            headers[entry.Key] = Convert.ToBase64String(entry.ValueBytes);
        }

        headers["grpc-retry-pushback-ms"] = $"{Math.Ceiling(retryAfter.TotalMilliseconds):0}";
    }

    /// <summary>The gate of one method, and who waits at it.</summary>
    private sealed class Method(CallLimits limits)
    {
        private readonly Lock turn = new();
        private readonly CallGate gate = new(limits);
        private readonly Dictionary<long, TaskCompletionSource> waiting = [];
        private long lastCall;

        /// <summary>False: refused. Otherwise the call may run once its turn has come.</summary>
        public bool TryAdmit(
            CallClass callClass,
            TimeSpan now,
            CancellationToken cancel,
            [NotNullWhen(true)] out Task<Slot>? turnComes,
            out TimeSpan retryAfter)
        {
            lock (turn)
            {
                var call = ++lastCall;
                var admission = gate.Arrive(call, callClass, now, out retryAfter);
                turnComes = admission switch
                {
                    Admission.Runs => Task.FromResult(new Slot(this)),
                    Admission.Waits => WaitAsync(call, cancel),
                    _ => null,
                };
                return turnComes is not null;
            }
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

        // Begins under the lock, up to its wait.
        private async Task<Slot> WaitAsync(long call, CancellationToken cancel)
        {
            var turnComes = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Add(call, turnComes);
            using (cancel.UnsafeRegister(_ => Abandon(call, cancel), null))
            {
                await turnComes.Task;
            }

            return new Slot(this);
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
