using System.Net;
using System.Net.Sockets;
using FsCheck;
using FsCheck.Fluent;
using Grpc.Core;

namespace Hexcast.Grpc.Tests.Hostile;

/// <summary>
/// Whatever bytes a client sends, the server answers with a status or closes the stream: it does not hang or die,
/// logs no failure of its own and serves the next client.
/// </summary>
public sealed class HostileClientTests : IAsyncLifetime
{
    const int Cases = 300;

    static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    static readonly string CorpusFolder = Path.Combine(AppContext.BaseDirectory, "Hostile", "corpus");

    int _running;
    ProbeHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ProbeHost.StartAsync(Wiring.Tcp, new ProbeHandlers
    {
        Unary = (request, _) => Task.FromResult(new ProbeReply { Text = request.Text }),
        Talk = async (requests, responses, _) =>
        {
            Interlocked.Increment(ref _running);
            try
            {
                await foreach (var request in requests.ReadAllAsync())
                    await responses.WriteAsync(new ProbeReply { Count = request.Count });
            }
            finally
            {
                Interlocked.Decrement(ref _running);
            }
        },
    });

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Spoiled_frames_end_the_call_or_the_connection()
    {
        var good = Http2Bytes.Call("/hexcast.probe.Probe/Talk", Message(1), Message(2));
        Prop.ForAll<Spoiling[]>(spoilings => SendAsync(Spoiling.Apply(good, spoilings)).WaitAsync(Limit))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(Cases));
        await ShouldBeWellAsync();
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public async Task Bytes_that_once_were_worth_a_look_end_the_call_or_the_connection(string name)
    {
        await SendAsync(ReadCorpus(name)).WaitAsync(Limit);
        await ShouldBeWellAsync();
    }

    [Fact]
    public async Task Spoiled_messages_in_good_http_get_a_status()
    {
        using var http = _host.CreateHttpClient();
        byte[][] good = [Message(1), Message(2)];
        Prop.ForAll<Spoiling[]>(async spoilings =>
        {
            using var request = Raw.Call("/hexcast.probe.Probe/Talk", Spoiling.Apply(good, spoilings));
            using var response = await http.SendAsync(request).WaitAsync(Limit);
            return Raw.StatusOf(response) is StatusCode.OK or StatusCode.Internal or StatusCode.ResourceExhausted;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Cases));
        await ShouldBeWellAsync();
    }

    [Fact]
    public async Task Headers_of_any_text_get_a_status()
    {
        using var http = _host.CreateHttpClient();
        string[] names =
        [
            "grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "te", "x-text", "x-bytes-bin", "user-agent",
            "traceparent",
        ];
        Prop.ForAll<byte, NonNull<string>>(async (which, text) =>
        {
            using var request = Raw.Call("/hexcast.probe.Probe/Unary", Message(1));
            var value = new string([.. text.Get.Select(letter => (char)(' ' + (letter % 95)))]);
            request.Headers.TryAddWithoutValidation(names[which % names.Length], value);
            using var response = await http.SendAsync(request).WaitAsync(Limit);
            return Enum.IsDefined(Raw.StatusOf(response)) && Raw.StatusOf(response) != StatusCode.Unknown;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Cases));
        await ShouldBeWellAsync();
    }

    public static IEnumerable<TheoryDataRow<string>> Corpus() =>
        Directory.GetFiles(CorpusFolder).Select(file => new TheoryDataRow<string>(Path.GetFileName(file)));

    // Lines of hexadecimal digits, of "times * digits", and of comments.
    static byte[] ReadCorpus(string name) =>
    [
        .. File.ReadLines(Path.Combine(CorpusFolder, name)).Where(line => !line.StartsWith('#')).SelectMany(line =>
            line.Split(" * ") is [var times, var digits]
                ? Enumerable.Repeat(Convert.FromHexString(digits), int.Parse(times)).SelectMany(bytes => bytes)
                : Convert.FromHexString(line)),
    ];

    static byte[] Message(int count) => Raw.Frame(new ProbeRequest { Count = count, Text = "hello" });

    /// <summary>Sends all of it, then nothing more; done once the server has closed its side.</summary>
    async Task SendAsync(byte[] bytes)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _host.Address.Port);
        try
        {
            await client.Client.SendAsync(bytes);
            client.Client.Shutdown(SocketShutdown.Send);
            var buffer = new byte[4096];
            while (await client.Client.ReceiveAsync(buffer) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // The server was done with this client before it had said all.
        }
    }

    async Task ShouldBeWellAsync()
    {
        var echo = await _host.Client.UnaryAsync(new ProbeRequest { Text = "well" }).ResponseAsync.Within();
        echo.Text.ShouldBe("well");
        _host.Log.ShouldBeEmpty();
        await WaitForNoneRunningAsync().Within();
    }

    async Task WaitForNoneRunningAsync()
    {
        while (Volatile.Read(ref _running) > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
    }
}
