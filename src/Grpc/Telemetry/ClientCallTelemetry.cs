using System.Diagnostics;
using Grpc.Core;

namespace Grpc.Telemetry;

/// <summary>One call from its caller's side: its span, how long it takes, and the context that goes with it.</summary>
sealed class ClientCallTelemetry
{
    readonly IMethod _method;
    readonly string _serverAddress;
    readonly TimeProvider _time;
    readonly long _start;
    readonly Activity? _span;

    public ClientCallTelemetry(IMethod method, string serverAddress, TimeProvider time)
    {
        _method = method;
        _serverAddress = serverAddress;
        _time = time;
        _start = time.GetTimestamp();
        _span = CallTelemetry.StartClient(method, serverAddress);
        if ((_span ?? Activity.Current) is not { IdFormat: ActivityIdFormat.W3C } context)
            return;
        Traceparent = context.Id;
        Tracestate = context.TraceStateString is { Length: > 0 } state ? state : null;
    }

    /// <summary>Null where the caller has no trace.</summary>
    public string? Traceparent { get; }

    public string? Tracestate { get; }

    public void End(StatusCode status) =>
        CallTelemetry.EndClient(_span, _method, _serverAddress, status, _time.GetElapsedTime(_start));
}
