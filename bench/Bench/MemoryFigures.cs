namespace Hexcast.Bench;

/// <summary>What the server's process took.</summary>
internal sealed record MemoryFigures(
    double LimitMebibytes, LoadFigures Load, long SmallBytes, double AfterSmallMebibytes, long LargeBytes,
    double AfterLargeMebibytes) : IReport
{
    public string Table()
    {
        var load = $"{Load.Viewers} viewers, {Load.Uploaders} uploads and a transcode";
        return $"""
            memory: resident set of the server's process alone, MiB

            | while | peak | aim |
            | --- | --- | --- |
            | {load} | **{Load.PeakMebibytes:0}** | < {LimitMebibytes} |
            | one upload of {SmallBytes >> 20} MiB, to ready | {AfterSmallMebibytes:0} | |
            | one upload of {LargeBytes >> 20} MiB, to ready | {AfterLargeMebibytes:0} | no more than the small one's |

            - {Load.Seconds:0} s of load: median {Load.MedianMebibytes:0} MiB, at its end {Load.LastMebibytes:0} MiB
            - played: {Load.Segments} segments, {Load.Bytes / 1e6 / Load.Seconds:0} MB/s
            - uploads finished: {Load.Uploads}; the transcode ran in {Load.EncodingShare:P0} of the samples

            """;
    }
}

internal sealed record LoadFigures(
    int Viewers, int Uploaders, double Seconds, double PeakMebibytes, double MedianMebibytes, double LastMebibytes,
    double EncodingShare, long Segments, long Bytes, long Uploads);
