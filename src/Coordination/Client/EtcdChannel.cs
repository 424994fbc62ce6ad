using System.Net.Sockets;
using System.Security.Cryptography;
using Grpc.Net.Client;

namespace Hexcast.Coordination.Client;

/// <summary>A channel to whichever of etcd's members takes the connection; each of them serves every request.</summary>
internal static class EtcdChannel
{
    /// <summary>etcd splits watch responses at 1.5 MiB, and pages here get smaller until they fit.</summary>
    private const int MaximumMessageBytes = 16 * 1024 * 1024;

    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(2);

    /// <summary>etcd takes more pings than one in 5 s for an attack.</summary>
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PingTime = TimeSpan.FromSeconds(2);

    public static GrpcChannel Create(IReadOnlyList<string> endpoints, TimeProvider clock)
    {
        var members = endpoints.Select(endpoint => new Uri(endpoint)).ToArray();
        // Not every node's first connection to the same member.
        var next = RandomNumberGenerator.GetInt32(members.Length);
        var handler = new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = PingDelay,
            KeepAlivePingTimeout = PingTime,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            UseProxy = false,
            ConnectCallback = (_, cancellation) => ConnectAsync(
                members, (int)((uint)Interlocked.Increment(ref next) % members.Length), clock, cancellation),
        };
        return GrpcChannel.ForAddress(members[0], new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaximumMessageBytes,
            TimeProvider = clock,
        });
    }

    private static async ValueTask<Stream> ConnectAsync(
        Uri[] members, int first, TimeProvider clock, CancellationToken cancellation)
    {
        for (var i = 0; ; i++)
        {
            var member = members[(first + i) % members.Length];
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var limit = new CancellationTokenSource(ConnectTime, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
            try
            {
                await socket.ConnectAsync(member.Host, member.Port, either.Token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException)
            {
                socket.Dispose();
                cancellation.ThrowIfCancellationRequested();
                if (i == members.Length - 1)
                {
                    throw new IOException(
                        $"None of etcd's members answers: {string.Join(", ", members.AsEnumerable())}", exception);
                }
            }
        }
    }
}
