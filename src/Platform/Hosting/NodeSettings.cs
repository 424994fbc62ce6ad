using System.Net;
using Hexcast.Platform.Cluster;

namespace Hexcast.Platform.Hosting;

/// <summary>What one process is told on its command line.</summary>
public sealed record NodeSettings
{
    /// <summary>The name of a node that shares nothing with others.</summary>
    public const string Alone = "local";

    /// <summary>Absolute; everything that this node keeps lies below it.</summary>
    public required string DataFolder { get; init; }

    public IPEndPoint Http { get; init; } = new(IPAddress.Loopback, 8080);

    public IPEndPoint Grpc { get; init; } = new(IPAddress.Loopback, 8081);

    /// <summary>host:port by which the other nodes reach <see cref="Grpc"/>, where that is another one.</summary>
    public string? Advertise { get; init; }

    /// <summary>host:port of this node for the others.</summary>
    public string Address => Advertise ?? Grpc.ToString();

    /// <summary>Names this node in the cluster, and nobody else: <see cref="IsName"/>.</summary>
    public string NodeId { get; init; } = Alone;

    /// <summary>What it proves to other nodes of its cluster by; null: it is of none.</summary>
    public ClusterIdentity? Cluster { get; init; }

    /// <summary>Where JSON log lines go; null is standard output.</summary>
    public string? LogFile { get; init; }

    /// <summary>host:port that others can call, so no wildcard.</summary>
    public static bool IsAddress(string text) =>
        Uri.TryCreate($"tcp://{text}", UriKind.Absolute, out var uri) && uri.Authority == text && uri.Port > 0
        && !(IPEndPoint.TryParse(text, out var endpoint)
            && (endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any)));

    /// <summary>A label of a host name (RFC 1123): it stands in keys, file names and metrics.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= 63 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && text[0] != '-' && text[^1] != '-';
}
