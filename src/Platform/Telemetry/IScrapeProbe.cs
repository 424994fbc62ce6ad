namespace Hexcast.Platform.Telemetry;

/// <summary>
/// Measures what cannot be read in passing (a scheduler's queue, a database's rows) just before /metrics is answered.
/// One that fails keeps its last values.
/// </summary>
public interface IScrapeProbe
{
    Task MeasureAsync(CancellationToken cancel);
}
