using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Compression;

namespace Hexcast.Grpc.Tests;

public sealed class TcpCompressionTests() : CompressionTests(Wiring.Tcp);

public sealed class TlsCompressionTests() : CompressionTests(Wiring.Tls);

public sealed class InMemoryCompressionTests() : CompressionTests(Wiring.InMemory);

/// <summary>What goes compressed, what must not, and what comes of bytes that are not what they claim to be.</summary>
public abstract class CompressionTests
{
    const string Unary = "/hexcast.probe.Probe/Unary";

    static readonly ByteString Zeros = ByteString.CopyFrom(new byte[50_000]);

    readonly Wiring _wiring;

    private protected CompressionTests(Wiring wiring) => _wiring = wiring;

    [Theory]
    [InlineData("identity,gzip", "gzip", 1)]
    [InlineData("deflate , gzip", "gzip", 1)]
    [InlineData("identity,deflate", null, 0)]
    [InlineData(null, null, 0)]
    public async Task Response_is_compressed_only_for_callers_that_list_the_encoding(
        string? accepts, string? encoding, byte flag)
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring, Replying(), grpc: options => options.ResponseCompressionAlgorithm = "gzip");
        using var http = host.CreateHttpClient();
        using var request = Raw.Call(Unary, Raw.Frame(new ProbeRequest()));
        if (accepts is not null)
            request.Headers.Add("grpc-accept-encoding", accepts);

        using var response = await http.SendAsync(request).Within();
        var body = await response.Content.ReadAsByteArrayAsync().Within();

        Raw.StatusOf(response).ShouldBe(StatusCode.OK);
        body[0].ShouldBe(flag);
        BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(1)).ShouldBe(body.Length - 5);
        (response.Headers.TryGetValues("grpc-encoding", out var said) ? said.Single() : null).ShouldBe(encoding);
    }

    [Fact]
    public async Task Channel_reads_compressed_responses_and_method_may_leave_single_ones_plain()
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring,
            new ProbeHandlers
            {
                Download = async (_, responses, context) =>
                {
                    await responses.WriteAsync(new ProbeReply { Data = Zeros });
                    context.WriteOptions = new WriteOptions(WriteFlags.NoCompress);
                    await responses.WriteAsync(new ProbeReply { Data = Zeros });
                },
            },
            grpc: options =>
            {
                options.ResponseCompressionAlgorithm = "gzip";
                options.ResponseCompressionLevel = CompressionLevel.SmallestSize;
            });
        var gzip = new Interop.CountingGzip();
        using var channel = host.CreateChannel(new GrpcChannelOptions { CompressionProviders = [gzip] });

        using var call = new Probe.ProbeClient(channel).Download(new ProbeRequest());
        var replies = await call.ResponseStream.ReadAllAsync().ToListAsync().AsTask().Within();

        replies.ShouldAllBe(reply => reply.Data == Zeros);
        gzip.TakeDecompressed().ShouldBe(1);
        (await call.ResponseHeadersAsync.Within()).ShouldNotContain(entry => entry.Key.StartsWith("grpc-"));
    }

    [Fact]
    public async Task Encoding_that_the_server_does_not_understand_is_unimplemented_with_a_list_of_those_it_does()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, Replying());
        using var http = host.CreateHttpClient();
        using var request = Raw.Call(Unary, Raw.Frame(new ProbeRequest()));
        request.Headers.Add("grpc-encoding", "snappy");

        using var response = await http.SendAsync(request).Within();

        Raw.StatusOf(response).ShouldBe(StatusCode.Unimplemented);
        response.Headers.GetValues("grpc-accept-encoding").ShouldBe(["identity,gzip"]);
    }

    [Fact]
    public async Task Encoding_that_the_channel_does_not_know_is_refused_at_once()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, Replying());

        Should.Throw<InvalidOperationException>(() => host.Client.UnaryAsync(
            new ProbeRequest(), new Metadata { { "grpc-internal-encoding-request", "snappy" } }))
            .Message.ShouldContain("identity,gzip");
    }

    [Fact]
    public async Task Server_that_chooses_an_encoding_of_its_own_is_an_internal_error()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, context) =>
            {
                context.GetHttpContext().Response.Headers["grpc-encoding"] = "snappy";
                return Task.FromResult(new ProbeReply());
            },
        });

        var error = (await Record.ExceptionAsync(
            () => host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within())).ShouldBeOfType<RpcException>();

        error.Status.ShouldBe(
            new Status(StatusCode.Internal, "The server chose the encoding \"snappy\", which was not offered."));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("identity")]
    public async Task Compressed_message_without_an_encoding_is_an_internal_error(string? encoding)
    {
        var packed = Pack(new ProbeRequest().ToByteArray());

        (await SendAsync(packed, encoding, limit: null)).Status.ShouldBe(StatusCode.Internal);
    }

    [Fact]
    public async Task Plain_message_may_travel_under_an_encoding()
    {
        (await SendAsync(Raw.Frame(new ProbeRequest()), "gzip", limit: null)).Status.ShouldBe(StatusCode.OK);
    }

    [Fact]
    public async Task Limit_is_for_what_a_message_is_once_decompressed()
    {
        var message = new ProbeRequest { Data = ByteString.CopyFrom(new byte[10_000]) }.ToByteArray();

        (await SendAsync(Pack(message), "gzip", limit: message.Length)).Status.ShouldBe(StatusCode.OK);
        var (status, words) = await SendAsync(Pack(message), "gzip", limit: message.Length - 1);
        status.ShouldBe(StatusCode.ResourceExhausted);
        words.ShouldContain("once decompressed");
    }

    [Fact]
    public async Task Bomb_is_not_inflated_beyond_the_limit()
    {
        // 1 GiB of zeros in about 1 MB: inflating it all would show.
        var bomb = Pack(stream =>
        {
            var zeros = new byte[1024 * 1024];
            for (var i = 0; i < 1024; i++)
                stream.Write(zeros);
        });
        var before = GC.GetTotalAllocatedBytes();

        (await SendAsync(bomb, "gzip", limit: 4 * 1024 * 1024)).Status.ShouldBe(StatusCode.ResourceExhausted);

        (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(200 * 1024 * 1024);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("1f8b0800000000000003")]
    [InlineData("1f8b080000000000000304ffffffffff")]
    [InlineData("0102030405060708090a0b0c0d0e0f")]
    public async Task Bytes_that_are_not_gzip_are_an_internal_error(string hex)
    {
        var payload = Convert.FromHexString(hex);
        byte[] frame = [1, 0, 0, 0, (byte)payload.Length, .. payload];

        (await SendAsync(frame, "gzip", limit: null)).Status.ShouldBe(StatusCode.Internal);
    }

    [Fact]
    public async Task Message_that_ends_too_early_or_was_changed_is_an_internal_error()
    {
        var whole = Pack(new ProbeRequest { Text = new string('x', 1000) + "y" }.ToByteArray());
        var cut = whole[..^6];
        BinaryPrimitives.WriteInt32BigEndian(cut.AsSpan(1), cut.Length - 5);
        var changed = whole.ToArray();
        changed[^6] ^= 0xff;

        (await SendAsync(cut, "gzip", limit: null)).Status.ShouldBe(StatusCode.Internal);
        (await SendAsync(changed, "gzip", limit: null)).Status.ShouldBe(StatusCode.Internal);
    }

    [Fact]
    public async Task Message_of_several_gzip_members_is_refused_rather_than_taken_unchecked()
    {
        var member = Pack(new ProbeRequest { Text = "x" }.ToByteArray())[5..];
        byte[] frame = [1, 0, 0, 0, (byte)(member.Length * 2), .. member, .. member];

        (await SendAsync(frame, "gzip", limit: null)).Status.ShouldBe(StatusCode.Internal);
    }

    [Fact]
    public async Task Whatever_a_provider_throws_on_what_came_is_an_internal_error_and_nothing_to_log()
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring, Replying(), grpc: options => options.CompressionProviders = [new Picky()]);
        using var http = host.CreateHttpClient();
        using var request = Raw.Call(Unary, [1, 0, 0, 0, 1, 0]);
        request.Headers.Add("grpc-encoding", "picky");

        using var response = await http.SendAsync(request).Within();

        Raw.StatusOf(response).ShouldBe(StatusCode.Internal);
        response.Headers.GetValues("grpc-message").Single().ShouldContain("decompressed as picky");
        host.Log.ShouldBeEmpty();
    }

    [Fact]
    public async Task Send_limit_is_for_what_a_message_is_before_it_is_compressed()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, Replying());
        using var channel = host.CreateChannel(new GrpcChannelOptions { MaxSendMessageSize = 1000 });

        var error = (await Record.ExceptionAsync(() => new Probe.ProbeClient(channel).UnaryAsync(
            new ProbeRequest { Data = Zeros },
            new Metadata { { "grpc-internal-encoding-request", "gzip" } }).ResponseAsync.Within()))
            .ShouldBeOfType<RpcException>();

        error.StatusCode.ShouldBe(StatusCode.ResourceExhausted);
    }

    [Fact]
    public void Every_message_is_compressed_by_itself_whatever_way_its_serializer_writes()
    {
        Action<string, SerializationContext>[] serializers =
        [
            (text, context) => context.Complete(Encoding.UTF8.GetBytes(text)),
            (text, context) =>
            {
                Encoding.UTF8.GetBytes(text.AsSpan(), context.GetBufferWriter());
                context.Complete();
            },
            (text, context) =>
            {
                context.SetPayloadLength(text.Length);
                Encoding.UTF8.GetBytes(text.AsSpan(), context.GetBufferWriter());
                context.Complete();
            },
        ];
        var gzip = new GzipCompressionProvider(CompressionLevel.Optimal);
        var compressor = new global::Grpc.Wire.MessageCompressor(gzip, null);
        var writer = new global::Grpc.Wire.FrameWriter(null);

        foreach (var serializer in serializers)
        {
            foreach (var text in (string[])["", "abc", new string('z', 300_000), "abc"])
            {
                var output = new System.Buffers.ArrayBufferWriter<byte>();
                writer.Write(text, serializer, output, compressor);
                var frame = output.WrittenMemory.ToArray();
                frame[0].ShouldBe((byte)1);
                BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(1)).ShouldBe(frame.Length - 5);
                using var plain = new StreamReader(new GZipStream(
                    new MemoryStream(frame[5..]), CompressionMode.Decompress));
                plain.ReadToEnd().ShouldBe(text);
            }
        }

        Should.Throw<InvalidOperationException>(() => writer.Write("", (_, context) =>
        {
            context.SetPayloadLength(2);
            context.Complete();
        }, new System.Buffers.ArrayBufferWriter<byte>(), compressor));
    }

    static ProbeHandlers Replying() => new()
    {
        Unary = (_, _) => Task.FromResult(new ProbeReply { Data = Zeros }),
    };

    static byte[] Pack(byte[] message) => Pack(stream => stream.Write(message));

    static byte[] Pack(Action<Stream> write)
    {
        using var packed = new MemoryStream();
        packed.Write([1, 0, 0, 0, 0]);
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            write(gzip);
        var frame = packed.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - 5);
        return frame;
    }

    async Task<(StatusCode Status, string Words)> SendAsync(byte[] body, string? encoding, int? limit)
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring, Replying(), grpc: options => options.MaxReceiveMessageSize = limit);
        using var http = host.CreateHttpClient();
        using var request = Raw.Call(Unary, body);
        if (encoding is not null)
            request.Headers.Add("grpc-encoding", encoding);
        using var response = await http.SendAsync(request).Within();
        host.Log.ShouldBeEmpty();
        var words = response.Headers.TryGetValues("grpc-message", out var values) ? values.Single() : string.Empty;
        return (Raw.StatusOf(response), words);
    }

    /// <summary>A provider that does not expect what peers may send.</summary>
    sealed class Picky : ICompressionProvider
    {
        public string EncodingName => "picky";

        public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) => stream;

        public Stream CreateDecompressionStream(Stream stream) => throw new ArgumentException("not this");
    }
}
