using System.Diagnostics.Metrics;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.Telemetry;

/// <summary>What every node tells of itself, whatever its roles are.</summary>
internal sealed class NodeTelemetry
{
    public NodeTelemetry(IMeterFactory meters, NodeSettings node, TimeProvider clock, IServiceProvider services)
    {
        var meter = meters.Create("Hexcast.Node");
        StartedAt = clock.GetUtcNow();
        meter.CreateObservableGauge(
            "hexcast.build.info",
            () => new Measurement<int>(
                1, new("version", BuildInfo.Current.Version), new("commit", BuildInfo.Current.Commit)),
            unit: null, "Always 1; which build this is");
        meter.CreateObservableGauge(
            "process.start_time", () => StartedAt.ToUnixTimeMilliseconds() / 1000.0, "s",
            "When the node was started, in Unix time");
        var disk = new DriveInfo(node.DataFolder);
        meter.CreateObservableGauge(
            "disk.free", () => disk.AvailableFreeSpace, "By", "Free for this node on the disk of the data folder");
        meter.CreateObservableGauge("disk.size", () => disk.TotalSize, "By", "Size of the disk of the data folder");
        if (services.GetService<ServerCertificate>() is { } certificate)
        {
            meter.CreateObservableGauge(
                "tls.certificate.expiry", () => new DateTimeOffset(certificate.Current.NotAfter).ToUnixTimeSeconds(),
                "s", "When the certificate of new connections ends, in Unix time");
        }

        if (services.GetService<NodeCertificate>() is { } own)
        {
            meter.CreateObservableGauge(
                "cluster.certificate.expiry", () => new DateTimeOffset(own.Current.NotAfter).ToUnixTimeSeconds(),
                "s", "When this node's certificate of its cluster ends, in Unix time");
        }
    }

    public DateTimeOffset StartedAt { get; }
}
