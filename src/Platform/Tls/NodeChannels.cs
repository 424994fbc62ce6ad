using System.Net;
using System.Net.Sockets;
using Grpc.Net.Client;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hexcast.Platform.Tls;

/// <summary>
/// How this node reaches another one, the one place where such channels are made: by the certificates of both once the
/// node is one of a cluster, in the clear while it is none.
/// </summary>
public sealed class NodeChannels
{
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MemberConnectTime = TimeSpan.FromMilliseconds(500);

    /// <summary>How long what was sent to a member may stay unacknowledged.</summary>
    private const int UnacknowledgedMilliseconds = 1_000;

    /// <summary>linux/tcp.h: TCP_USER_TIMEOUT.</summary>
    private const int TcpUserTimeout = 18;

    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PingTime = TimeSpan.FromSeconds(6);

    /// <summary>What a member of the coordinator's group may answer to another, which passes it on to whoever has asked
    /// for it.</summary>
    public const int MemberAnswerBytes = 40 * 1024 * 1024;

    private readonly NodeCertificate? own;
    private readonly TimeProvider clock;

    internal NodeChannels(NodeCertificate? own, TimeProvider clock) => (this.own, this.clock) = (own, clock);

    /// <summary>Of a node that is none of a cluster.</summary>
    public static NodeChannels Plain(TimeProvider clock) => new(own: null, clock);

    /// <summary>For a command that runs on a node's machine, as that node.</summary>
    /// <exception cref="Configuration.ConfigurationException">Its certificate cannot be used.</exception>
    public static NodeChannels Of(ClusterIdentity? identity, TimeProvider clock) => new(
        identity is null ? null : new NodeCertificate(
            identity, new RemovedNodes(identity), clock, NullLogger<NodeCertificate>.Instance),
        clock);

    /// <summary>Whether nodes prove to each other who they are.</summary>
    public bool AreProven => own is not null;

    /// <param name="address">host:port.</param>
    /// <param name="node">The name of the node there, where it is known: another one is refused.</param>
    public GrpcChannel Open(string address, string? node = null) => Open(address, Handler(node));

    /// <summary>
    /// To a member of the coordinator's group. One that has gone silent is given up within a second: a connection that
    /// the network has cut off would otherwise wait for longer and longer before it tries again, and still do so when
    /// the network is whole.
    /// </summary>
    public GrpcChannel OpenToMember(string address)
    {
        var handler = Handler(node: null);
        handler.ActivityHeadersPropagator = null;
        handler.ConnectTimeout = MemberConnectTime;
        handler.ConnectCallback = ConnectImpatientlyAsync;
        return Open(address, handler, MemberAnswerBytes);
    }

    private GrpcChannel Open(string address, SocketsHttpHandler handler, int? answerBytes = null)
    {
        var options = new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, TimeProvider = clock };
        options.MaxReceiveMessageSize = answerBytes ?? options.MaxReceiveMessageSize;
        return GrpcChannel.ForAddress($"{Scheme}://{address}", options);
    }

    private static async ValueTask<Stream> ConnectImpatientlyAsync(
        SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (OperatingSystem.IsLinux())
            {
                socket.SetRawSocketOption(
                    (int)ProtocolType.Tcp, TcpUserTimeout, BitConverter.GetBytes(UnacknowledgedMilliseconds));
            }

            await socket.ConnectAsync(context.DnsEndPoint, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The same for what is no gRPC.</summary>
    public HttpClient OpenHttp(RolePlace place) => new(new OnlyHttp2(Handler(place.Node)))
    {
        BaseAddress = new Uri($"{Scheme}://{place.Address}"),
        // Bytes take as long as they take; a peer that is gone is noticed by its pings.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private string Scheme => own is null ? "http" : "https";

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

    // A client's own default version does not reach requests that are made by hand.
    private sealed class OnlyHttp2(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
