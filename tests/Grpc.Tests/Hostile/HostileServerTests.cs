using System.Net;
using System.Net.Sockets;
using FsCheck;
using FsCheck.Fluent;
using Grpc.Core;
using Grpc.Net.Client;

namespace Hexcast.Grpc.Tests.Hostile;

/// <summary>Whatever bytes a server sends, a call ends with a status: it does not hang, and throws nothing else.
/// </summary>
public sealed class HostileServerTests : IAsyncLifetime
{
    const int Cases = 200;

    static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _stop = new();
    Task _serving = Task.CompletedTask;
    byte[] _answer = [];

    public ValueTask InitializeAsync()
    {
        _listener.Start();
        _serving = ServeAsync();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task The_good_answer_is_understood()
    {
        _answer = Spoiling.Apply(Good, []);
        (await CallAsync()).ShouldBe(StatusCode.OK);
    }

    [Fact]
    public void Spoiled_answers_end_the_call_with_a_status() =>
        Prop.ForAll<Spoiling[]>(async spoilings =>
        {
            _answer = Spoiling.Apply(Good, spoilings);
            return Enum.IsDefined(await CallAsync().WaitAsync(Limit));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Cases));

    static List<byte[]> Good => Http2Bytes.Answer(Raw.Frame(new ProbeReply { Count = 1 }), Raw.Frame(new ProbeReply()));

    async Task<StatusCode> CallAsync()
    {
        using var channel = GrpcChannel.ForAddress($"http://{_listener.LocalEndpoint}");
        using var call = new Probe.ProbeClient(channel).Download(new ProbeRequest());
        try
        {
            while (await call.ResponseStream.MoveNext())
            {
            }

            return call.GetStatus().StatusCode;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }

    // Each client gets the answer as soon as it has called, and the end of the connection after it.
    async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptSocketAsync(_stop.Token);
                try
                {
                    var buffer = new byte[4096];
                    var (heard, count) = (0, 0);
                    do
                        heard += count = await client.ReceiveAsync(buffer.AsMemory(heard), _stop.Token);
                    while (count > 0 && buffer.AsSpan(0, heard).IndexOf("/Download"u8) < 0);
                    await client.SendAsync(_answer, _stop.Token);
                    client.Shutdown(SocketShutdown.Send);
                    while (await client.ReceiveAsync(buffer, _stop.Token) > 0)
                    {
                    }
                }
                catch (SocketException)
                {
                    // The client gave up on this server.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
