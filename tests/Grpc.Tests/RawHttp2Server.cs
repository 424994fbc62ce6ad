using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Grpc.Core;

namespace Hexcast.Grpc.Tests;

/// <summary>HTTP/2 by hand over TCP: a server that answers each request with whatever frames a test wants.</summary>
sealed class RawHttp2Server : IAsyncDisposable
{
    const int FrameHeaderBytes = 9;
    const int PrefaceBytes = 24;

    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly Func<RawHttp2Connection, int, Task> _onRequest;
    readonly CancellationTokenSource _stop = new();
    readonly Task _running;
    int _connections;

    /// <param name="onRequest">Called with each stream whose headers came; requests of a connection one by one.</param>
    public RawHttp2Server(Func<RawHttp2Connection, int, Task> onRequest)
    {
        _onRequest = onRequest;
        _listener.Start();
        _running = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Address => $"http://127.0.0.1:{Port}";

    public int Connections => _connections;

    /// <summary>Called with the payload of each frame of data.</summary>
    public Action<byte[]>? OnData { get; set; }

    /// <summary>Called with each stream that the client ends or resets.</summary>
    public Action<int>? OnStreamEnd { get; set; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        // Not stopped before it has ended: whoever asks a listener that listens no more is told of a mistake.
        await _running.Within();
        _listener.Stop();
        _stop.Dispose();
    }

    async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
                open.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(open);
        }
    }

    async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        Interlocked.Increment(ref _connections);
        try
        {
            var stream = client.GetStream();
            var connection = new RawHttp2Connection(stream);
            await stream.ReadExactlyAsync(new byte[PrefaceBytes], _stop.Token);
            await connection.SendAsync(RawHttp2Connection.Settings, 0, 0, []);
            var header = new byte[FrameHeaderBytes];
            while (true)
            {
                await stream.ReadExactlyAsync(header, _stop.Token);
                var length = (header[0] << 16) | (header[1] << 8) | header[2];
                var payload = new byte[length];
                await stream.ReadExactlyAsync(payload, _stop.Token);
                var isAck = (header[4] & RawHttp2Connection.Ack) != 0;
                if (header[3] == RawHttp2Connection.Settings && !isAck)
                    await connection.SendAsync(RawHttp2Connection.Settings, RawHttp2Connection.Ack, 0, []);
                var streamId = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5));
                if (header[3] == RawHttp2Connection.Headers)
                    await _onRequest(connection, streamId);
                if (header[3] == RawHttp2Connection.Data)
                    OnData?.Invoke(payload);
                if (RawHttp2Connection.IsStreamEnd(header[3], header[4]))
                    OnStreamEnd?.Invoke(streamId);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The client closed, the test closed the connection, or it is over.
        }
    }
}

sealed class RawHttp2Connection(NetworkStream stream)
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte GoAway = 7;
    public const byte Ack = 1;
    const byte EndStream = 1;
    const byte EndHeaders = 4;

    public static bool IsStreamEnd(byte type, byte flags) =>
        type == Reset || (type is Data or Headers && (flags & EndStream) != 0);

    public Task SendAsync(byte type, byte flags, int streamId, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        frame[0] = (byte)(payload.Length >> 16);
        frame[1] = (byte)(payload.Length >> 8);
        frame[2] = (byte)payload.Length;
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
        payload.CopyTo(frame.AsSpan(9));
        return stream.WriteAsync(frame).AsTask();
    }

    public Task ResetAsync(int streamId, int error) => SendAsync(Reset, 0, streamId, Number(error));

    public Task GoAwayAsync(int lastStreamId, int error) =>
        SendAsync(GoAway, 0, 0, [.. Number(lastStreamId), .. Number(error)]);

    public Task HeadersAsync(int streamId, bool end, params (string Name, string Value)[] fields) => SendAsync(
        Headers, (byte)(EndHeaders | (end ? EndStream : 0)), streamId, fields.SelectMany(Literal).ToArray());

    public Task DataAsync(int streamId, byte[] bytes) => SendAsync(Data, 0, streamId, bytes);

    /// <summary>A whole answer with one message and OK.</summary>
    public async Task AnswerAsync(int streamId, ProbeReply reply, params (string Name, string Value)[] headers)
    {
        await HeadersAsync(
            streamId, end: false, [(":status", "200"), ("content-type", "application/grpc"), .. headers]);
        await DataAsync(streamId, Raw.Frame(reply));
        await HeadersAsync(streamId, end: true, ("grpc-status", "0"));
    }

    /// <summary>A trailers-only answer.</summary>
    public Task FailAsync(int streamId, StatusCode code, params (string Name, string Value)[] trailers) =>
        HeadersAsync(streamId, end: true, [(":status", "200"), ("content-type", "application/grpc"),
            ("grpc-status", ((int)code).ToString()), .. trailers]);

    public void Close() => stream.Close();

    static byte[] Number(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    // RFC 7541 section 6.2.2: literal, not indexed, both name and value in full.
    static IEnumerable<byte> Literal((string Name, string Value) field) =>
        [0, (byte)field.Name.Length, .. Encoding.ASCII.GetBytes(field.Name),
            (byte)field.Value.Length, .. Encoding.ASCII.GetBytes(field.Value)];
}
