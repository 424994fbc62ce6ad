using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;

namespace Hexcast.Grpc.Tests.Hostile;

/// <summary>
/// What costs a client little and a careless server much: whoever does it on one connection is held up or cut off,
/// while others are served as before and memory stays where it was.
/// </summary>
[Collection(nameof(Alone))]
public sealed class FloodTests : IAsyncLifetime
{
    const string Talk = "/hexcast.probe.Probe/Talk";
    const int OthersCalls = 30;
    const long MaxGrowthBytes = 16 * 1024 * 1024;

    /// <summary>A server that has stopped reading by then is safe from what is left.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    /// <summary>Why Kestrel itself cut such a connection.</summary>
    const string KestrelsComplaint = "exceeded the output operations maximum queue size";

    static readonly Dictionary<string, Func<IEnumerable<byte[]>>> Floods = new()
    {
        // CVE-2023-44487.
        ["rapid reset"] = () => Streams(30_000).SelectMany(id => (byte[][])
            [Start(id), Frame(Http2Bytes.Reset, 0, id, Number(8))]),
        ["streams that are never ended"] = () => Streams(30_000).Select(Start),
        // CVE-2024-27316 and its kin.
        ["continuations without end"] = () => Endless(
            Frame(Http2Bytes.Headers, 0, 1, Http2Bytes.Request(Talk)),
            Frame(Http2Bytes.Continuation, 0, 1, Http2Bytes.Block(("x-more", new string('a', 100)))), 200_000),
        ["empty continuations"] = () => Endless(
            Frame(Http2Bytes.Headers, 0, 1, Http2Bytes.Request(Talk)),
            Frame(Http2Bytes.Continuation, 0, 1, []), 300_000),
        ["one big header named many times"] = () =>
        [
            Frame(Http2Bytes.Headers, 0, 1, [.. Http2Bytes.Request(Talk), .. Indexed("x-bomb", 3900)]),
            .. Enumerable.Repeat(Frame(Http2Bytes.Continuation, 0, 1, Filled(16_000, 0xbe)), 100),
        ],
        ["data of no bytes"] = () => Endless(Start(1), Frame(Http2Bytes.Data, 0, 1, []), 300_000),
        ["data that is nothing but padding"] = () => Endless(
            Start(1), Frame(Http2Bytes.Data, 8, 1, [255, .. new byte[255]]), 50_000),
        ["pings"] = () => Enumerable.Repeat(Frame(Http2Bytes.Ping, 0, 0, new byte[8]), 200_000),
        ["settings"] = () => Enumerable.Repeat(Frame(Http2Bytes.Settings, 0, 0, [0, 4, 0, 0, 255, 255]), 200_000),
        ["windows"] = () => Endless(Start(1), Frame(Http2Bytes.WindowUpdate, 0, 1, Number(1)), 200_000),
        ["priorities"] = () => Streams(200_000).Select(id => Frame(Http2Bytes.Priority, 0, id, [0, 0, 0, 0, 1])),
        ["frames of no known kind"] = () => Enumerable.Repeat(Frame(0xbb, 0, 0, new byte[100]), 100_000),
        ["a message of 4 GiB"] = () => Endless(
            Start(1), Frame(Http2Bytes.Data, 0, 1, [0, 255, 255, 255, 255, .. new byte[8000]]), 5000),
        ["messages of no bytes to a method that does not read"] = () => Endless(
            Frame(Http2Bytes.Headers, Http2Bytes.EndHeaders, 1, Http2Bytes.Request("/hexcast.probe.Probe/Upload")),
            Frame(Http2Bytes.Data, 0, 1, new byte[5000]), 20_000),
        ["questions to a client that reads no answer"] = () => Endless(
            Start(1), Frame(Http2Bytes.Data, 0, 1, [.. Enumerable.Repeat(Raw.Frame(new ProbeRequest()), 200)
                .SelectMany(message => message)]), 20_000),
        ["garbage after the end"] = () => Endless(
            Frame(Http2Bytes.Headers, Http2Bytes.EndHeaders | Http2Bytes.EndStream, 1, Http2Bytes.Request(Talk)),
            Frame(Http2Bytes.Data, 0, 1, new byte[1000]), 20_000),
    };

    int _running;
    ProbeHost _host = null!;

    public static TheoryData<string> Names => [.. Floods.Keys];

    public async ValueTask InitializeAsync() => _host = await ProbeHost.StartAsync(Wiring.Tcp, new ProbeHandlers
    {
        Unary = (request, _) => Task.FromResult(new ProbeReply { Text = request.Text }),
        Upload = async (_, context) =>
        {
            await Running(() => Task.Delay(Timeout.Infinite, context.CancellationToken));
            return new ProbeReply();
        },
        Talk = (requests, responses, _) => Running(async () =>
        {
            await foreach (var request in requests.ReadAllAsync())
                await responses.WriteAsync(new ProbeReply { Text = new string('a', 1000) });
        }),
    });

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Flood_on_one_connection_costs_others_nothing(string name)
    {
        await CallAsOthersAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var attacker = new TcpClient();
        await attacker.ConnectAsync(IPAddress.Loopback, _host.Address.Port);
        using var stop = new CancellationTokenSource();
        var flood = SendAsync(attacker.Client, Floods[name]().Prepend(Http2Bytes.Opening), stop.Token);

        await CallAsOthersAsync();
        await Task.WhenAny(flood, Task.Delay(Patience, TimeProvider.System));

        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(MaxGrowthBytes);
        await CallAsOthersAsync();
        await stop.CancelAsync();
        await flood.Within();
        attacker.Dispose();
        await NoneRunsAsync().Within();
        _host.Log.Where(line => !line.Contains(KestrelsComplaint)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Messages_that_inflate_beyond_the_limit_end_before_they_have_done_so()
    {
        const int bombs = 20;
        const int inflatedBytes = 256 * 1024 * 1024;
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var zeros = new byte[1024 * 1024];
            for (var i = 0; i < inflatedBytes / zeros.Length; i++)
                await gzip.WriteAsync(zeros);
        }

        var bomb = new byte[5 + packed.Length];
        bomb[0] = 1;
        BinaryPrimitives.WriteInt32BigEndian(bomb.AsSpan(1), (int)packed.Length);
        packed.ToArray().CopyTo(bomb, 5);
        using var http = _host.CreateHttpClient();
        var before = GC.GetTotalAllocatedBytes();
        for (var i = 0; i < bombs; i++)
        {
            using var request = Raw.Call("/hexcast.probe.Probe/Unary", bomb);
            request.Headers.Add("grpc-encoding", "gzip");
            using var response = await http.SendAsync(request).Within();
            Raw.StatusOf(response).ShouldBe(StatusCode.ResourceExhausted);
        }

        // For each the limit of 4 MiB, twice as a buffer that doubles; and the bomb itself.
        (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(bombs * (16L * 1024 * 1024 + 2 * bomb.Length));
    }

    [Theory]
    [InlineData("application/grpc-web")]
    [InlineData("application/grpc-web+proto")]
    [InlineData("application/grpc-web-text")]
    [InlineData("application/json")]
    public async Task Content_of_another_protocol_is_refused_by_http(string contentType)
    {
        using var http = _host.CreateHttpClient();
        using var request = Raw.Call("/hexcast.probe.Probe/Unary", Raw.Frame(new ProbeRequest()));
        request.Content!.Headers.ContentType = new(contentType);

        using var response = await http.SendAsync(request).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    async Task CallAsOthersAsync()
    {
        using var channel = _host.CreateChannel(new());
        var client = new Probe.ProbeClient(channel);
        for (var i = 0; i < OthersCalls; i++)
            (await client.UnaryAsync(new ProbeRequest { Text = "me" }).ResponseAsync.Within()).Text.ShouldBe("me");
    }

    async Task Running(Func<Task> method)
    {
        Interlocked.Increment(ref _running);
        try
        {
            await method();
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    async Task NoneRunsAsync()
    {
        while (Volatile.Read(ref _running) > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
    }

    // As much as the server takes; what it answers is not read.
    static async Task SendAsync(Socket socket, IEnumerable<byte[]> frames, CancellationToken stop)
    {
        var buffer = new MemoryStream();
        try
        {
            foreach (var frame in frames)
            {
                buffer.Write(frame);
                if (buffer.Length < 64 * 1024)
                    continue;
                await socket.SendAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), stop);
                buffer.SetLength(0);
            }

            await socket.SendAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), stop);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // The server was done with this client, or the test is.
        }
    }

    static IEnumerable<int> Streams(int count) => Enumerable.Range(0, count).Select(i => (2 * i) + 1);

    static IEnumerable<byte[]> Endless(byte[] first, byte[] next, int times) =>
        Enumerable.Repeat(next, times).Prepend(first);

    static byte[] Start(int id) => Frame(Http2Bytes.Headers, Http2Bytes.EndHeaders, id, Http2Bytes.Request(Talk));

    static byte[] Frame(byte type, byte flags, int stream, byte[] payload) =>
        Http2Bytes.Frame(type, flags, stream, payload);

    static byte[] Number(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    static byte[] Filled(int count, byte value) => [.. Enumerable.Repeat(value, count)];

    // RFC 7541 section 6.2.1: a literal that goes into the table; its value's length in the form of section 5.1.
    static byte[] Indexed(string name, int valueBytes)
    {
        var rest = valueBytes - 127;
        return
        [
            0x40, (byte)name.Length, .. System.Text.Encoding.ASCII.GetBytes(name),
            127, (byte)(0x80 | (rest & 0x7f)), (byte)(rest >> 7), .. Filled(valueBytes, (byte)'a'),
        ];
    }
}
