namespace Hexcast.Contracts;

/// <summary>What one call of <c>Scheduler.BatchReportStatus</c> may carry.</summary>
public static class ReportBatch
{
    public const int ReportLimit = 256;
}
