using System.Diagnostics;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Grpc.Telemetry;

/// <summary>One call from its caller's side: its span, how long it takes, and the context that goes with it.</summary>
sealed class ClientCallTelemetry
{
    readonly string _method;
    readonly string _serverAddress;
    readonly TimeProvider _time;
    readonly ILogger? _logger;
    readonly long _start;
    readonly Activity? _span;

    public ClientCallTelemetry(string method, string serverAddress, TimeProvider time, ILogger? logger)
    {
        _logger = logger;
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

    public void End(Status status)
    {
        if (status.StatusCode != StatusCode.OK)
        {
            _logger?.LogInformation(
                status.DebugException,
                "The call {Method} ended with {StatusCode}: {Detail}",
                _method, status.StatusCode, status.Detail);
        }

        CallTelemetry.EndClient(
            _span, _method, _serverAddress, status.StatusCode, _time.GetElapsedTime(_start));
    }
}
