using System.Diagnostics.Metrics;

namespace Hexcast.Platform.Telemetry;

/// <summary>The upper bounds of histograms, in seconds unless a unit says otherwise.</summary>
public static class Buckets
{
    /// <summary>Answers of a server: 0.5 ms to 10 s.</summary>
    public static readonly InstrumentAdvice<double> Fast = new()
    {
        HistogramBucketBoundaries =
            [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    /// <summary>Writes to a disk: 0.1 ms to 5 s.</summary>
    public static readonly InstrumentAdvice<double> Disk = new()
    {
        HistogramBucketBoundaries =
            [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    };

    /// <summary>Work: 0.1 s to an hour.</summary>
    public static readonly InstrumentAdvice<double> Long = new()
    {
        HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600],
    };

    /// <summary>Media seconds a wall second.</summary>
    public static readonly InstrumentAdvice<double> Speed = new()
    {
        HistogramBucketBoundaries = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64],
    };
}
