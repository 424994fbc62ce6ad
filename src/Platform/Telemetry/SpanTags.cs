namespace Hexcast.Platform.Telemetry;

/// <summary>Attributes that OpenTelemetry's semantic conventions have no name for.</summary>
public static class SpanTags
{
    public const string MediaId = "hexcast.media_id";
    public const string JobId = "hexcast.job_id";
    public const string TaskId = "hexcast.task_id";
    public const string TaskKind = "hexcast.task.kind";
    public const string Attempt = "hexcast.attempt";
    public const string NodeId = "hexcast.node_id";
    public const string CpuSeconds = "hexcast.cpu_seconds";
    public const string Outcome = "hexcast.outcome";

    /// <summary>OpenTelemetry's: a stable word for what went wrong, never its message.</summary>
    public const string ErrorType = "error.type";
}
