using Grpc.Net.Client;
using Hexcast.Platform.Cluster;

namespace Hexcast.Platform.Tls;

/// <summary>
/// How this node reaches another one, the one place where such channels are made: by the certificates of both once the
/// node is one of a cluster, in the clear while it is none.
/// </summary>
public sealed class NodeChannels
{
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PingTime = TimeSpan.FromSeconds(6);

    private readonly NodeCertificate? own;
    private readonly TimeProvider clock;

    internal NodeChannels(NodeCertificate? own, TimeProvider clock) => (this.own, this.clock) = (own, clock);

    /// <summary>Whether nodes prove to each other who they are.</summary>
    public bool AreProven => own is not null;

    /// <param name="address">host:port.</param>
    /// <param name="node">The name of the node there, where it is known: another one is refused.</param>
    public GrpcChannel Open(string address, string? node = null) => GrpcChannel.ForAddress(
        $"{(own is null ? "http" : "https")}://{address}",
        new GrpcChannelOptions { HttpHandler = Handler(node), DisposeHttpClient = true, TimeProvider = clock });

    private SocketsHttpHandler Handler(string? node)
    {
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            ConnectTimeout = ConnectTime,
            // A node that is gone without a word is noticed after nine seconds.
            KeepAlivePingDelay = PingDelay,
            KeepAlivePingTimeout = PingTime,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            UseProxy = false,
        };
        if (own is not null)
        {
            handler.SslOptions = own.Reach(node);
        }

        return handler;
    }
}
