using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Connections;

namespace Hexcast.Grpc;

/// <summary>
/// Lets Kestrel and HttpClient talk inside one process: the same bytes and the same semantics as over TCP, no socket.
/// While nothing listens, connecting is refused as a closed port would refuse it.
/// </summary>
public sealed class InMemoryTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>Connections that wait for Kestrel to take them; more wait in their ConnectAsync.</summary>
    const int Backlog = 64;

    static readonly Uri Address = new("http://in-memory");

    InMemoryListener? _listener;
    int _lastConnection;

    /// <summary>Tells Kestrel that this transport is meant; see <c>kestrel.ListenInMemory(transport)</c>.</summary>
    public EndPoint EndPoint { get; } = new InMemoryEndPoint();

    public bool CanBind(EndPoint endpoint) => ReferenceEquals(endpoint, EndPoint);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (!CanBind(endpoint))
            throw new NotSupportedException($"The in-memory transport cannot listen on {endpoint}.");

        var listener = new InMemoryListener(this);
        if (Interlocked.CompareExchange(ref _listener, listener, null) is not null)
            throw new AddressInUseException("A server already listens on this in-memory transport.");
        return ValueTask.FromResult<IConnectionListener>(listener);
    }

    /// <summary>Fits <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    public async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var listener = Volatile.Read(ref _listener) ?? throw Refused();
        var id = $"in-memory-{Interlocked.Increment(ref _lastConnection)}";
        var (stream, connection) = InMemoryConnection.CreatePair(id, EndPoint);
        try
        {
            await listener.Backlog.WriteAsync(connection, cancellationToken);
            return stream;
        }
        catch (Exception e) when (e is ChannelClosedException or OperationCanceledException)
        {
            await stream.DisposeAsync();
            await connection.DisposeAsync();
            if (e is OperationCanceledException)
                throw;
            throw Refused();
        }
    }

    /// <summary>A channel to whatever listens on this transport; it owns its connections.</summary>
    public GrpcChannel CreateChannel() => CreateChannel(new GrpcChannelOptions());

    /// <param name="options">All but the handler, which is this transport's.</param>
    public GrpcChannel CreateChannel(GrpcChannelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var handler = GrpcChannel.CreateHandler();
        handler.ConnectCallback = ConnectAsync;
        options.HttpHandler = handler;
        options.DisposeHttpClient = true;
        return GrpcChannel.ForAddress(Address, options);
    }

    static IOException Refused() => new("No server listens on the in-memory transport.");

    sealed class InMemoryEndPoint : EndPoint
    {
        // Kestrel's metrics ask for it.
        public override AddressFamily AddressFamily => AddressFamily.Unspecified;

        public override string ToString() => "in-memory";
    }

    sealed class InMemoryListener(InMemoryTransport transport) : IConnectionListener
    {
        readonly Channel<InMemoryConnection> _accepted =
            Channel.CreateBounded<InMemoryConnection>(InMemoryTransport.Backlog);

        public EndPoint EndPoint => transport.EndPoint;

        public ChannelWriter<InMemoryConnection> Backlog => _accepted.Writer;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await _accepted.Reader.WaitToReadAsync(cancellationToken))
            {
                if (_accepted.Reader.TryRead(out var connection))
                    return connection;
            }

            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _accepted.Writer.TryComplete();
            Interlocked.CompareExchange(ref transport._listener, null, this);
            return ValueTask.CompletedTask;
        }

        public async ValueTask DisposeAsync()
        {
            await UnbindAsync();
            while (_accepted.Reader.TryRead(out var connection))
                await connection.DisposeAsync();
        }
    }
}
