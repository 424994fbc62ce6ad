using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Hexcast.Grpc;

/// <summary>
/// Kestrel's end of an in-memory connection: it owns the reader of what the client sends and the writer of what the
/// client receives. The client's stream owns the other two, and neither side completes an end that it does not own.
/// </summary>
sealed class InMemoryConnection : DefaultConnectionContext
{
    // Deep enough to keep both sides busy, shallow enough that HTTP/2's own windows stay what bounds a stream.
    const int PauseBytes = 256 * 1024;
    const int ResumeBytes = 128 * 1024;

    readonly CancellationTokenSource _closed = new();
    readonly InMemoryStream _client;

    InMemoryConnection(string id, EndPoint endPoint, IDuplexPipe server, InMemoryStream client)
        : base(id, server, server)
    {
        _client = client;
        client.Closed = Close;
        ConnectionClosed = _closed.Token;
        LocalEndPoint = endPoint;
        RemoteEndPoint = endPoint;
    }

    public static (Stream Client, InMemoryConnection Server) CreatePair(string id, EndPoint endPoint)
    {
        var options = new PipeOptions(
            pauseWriterThreshold: PauseBytes, resumeWriterThreshold: ResumeBytes, useSynchronizationContext: false);
        var toServer = new Pipe(options);
        var toClient = new Pipe(options);
        var client = new InMemoryStream(toClient.Reader, toServer.Writer);
        return (client, new InMemoryConnection(id, endPoint, new DuplexPipe(toServer.Reader, toClient.Writer), client));
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        _client.Break();
        Close();
    }

    public override async ValueTask DisposeAsync()
    {
        await Transport.Input.CompleteAsync();
        await Transport.Output.CompleteAsync();
        Close();
        await base.DisposeAsync();
    }

    // Kestrel may run its own clean-up in the registrations: never on the thread of the one who closes.
    void Close() => ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);

    sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
