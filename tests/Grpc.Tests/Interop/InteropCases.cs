using Google.Protobuf;
using Grpc.Core;

namespace Hexcast.Grpc.Tests.Interop;

public sealed class OurTcpInterop(OurTcpServer server) : InteropCases(server), IClassFixture<OurTcpServer>;

public sealed class OurTlsInterop(OurTlsServer server) : InteropCases(server), IClassFixture<OurTlsServer>;

public sealed class OurInMemoryInterop(OurInMemoryServer server)
    : InteropCases(server), IClassFixture<OurInMemoryServer>;

public sealed class GrpcioTcpInterop(GrpcioTcpServer server) : InteropCases(server), IClassFixture<GrpcioTcpServer>;

public sealed class GrpcioTlsInterop(GrpcioTlsServer server) : InteropCases(server), IClassFixture<GrpcioTlsServer>;

public sealed class GrpcJsTcpInterop(GrpcJsTcpServer server) : InteropCases(server), IClassFixture<GrpcJsTcpServer>;

public sealed class GrpcJsTlsInterop(GrpcJsTlsServer server) : InteropCases(server), IClassFixture<GrpcJsTlsServer>;

/// <summary>
/// The cases of gRPC's interop test descriptions with this project's client. Of that list are left out:
/// the credential cases that need Google's services (compute_engine_creds, jwt_token_creds, oauth2_auth_token,
/// per_rpc_creds, google_default_credentials, compute_engine_channel_credentials), ORCA, which reports load to Google's
/// balancers, long_lived_channel, which only waits, and cacheable_unary, which is a GET that the protocol has dropped.
/// </summary>
public abstract class InteropCases
{
    const int SoakIterations = 10;
    const string EchoInitial = "x-grpc-test-echo-initial";
    const string EchoTrailing = "x-grpc-test-echo-trailing-bin";
    const string SpecialWords = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";

    static readonly Metadata Compressed = new() { { "grpc-internal-encoding-request", "gzip" } };
    static readonly byte[] EchoBytes = [0xab, 0xab, 0xab];

    readonly InteropServer _server;
    readonly TestService.TestServiceClient _client;

    private protected InteropCases(InteropServer server)
    {
        _server = server;
        _client = new TestService.TestServiceClient(server.Channel);
        server.Gzip.TakeCompressed();
        server.Gzip.TakeDecompressed();
    }

    [Fact]
    public async Task Empty_unary() =>
        (await _client.EmptyCallAsync(new Empty()).ResponseAsync.Within()).ShouldBe(new Empty());

    [Fact]
    public async Task Large_unary() =>
        (await _client.UnaryCallAsync(Large()).ResponseAsync.Within()).Payload.Body.Length.ShouldBe(314159);

    [Fact]
    public async Task Client_compressed_unary()
    {
        var compressed = Large();
        compressed.ExpectCompressed = new BoolValue { Value = true };
        var plain = Large();
        plain.ExpectCompressed = new BoolValue { Value = false };

        if (_server.ChecksRequests)
            (await ErrorOf(_client.UnaryCallAsync(compressed))).StatusCode.ShouldBe(StatusCode.InvalidArgument);
        (await _client.UnaryCallAsync(compressed, Compressed).ResponseAsync.Within())
            .Payload.Body.Length.ShouldBe(314159);
        _server.Gzip.TakeCompressed().ShouldBe(1);
        (await _client.UnaryCallAsync(plain, new CallOptions(Compressed)
            .WithWriteOptions(new WriteOptions(WriteFlags.NoCompress))).ResponseAsync.Within())
            .Payload.Body.Length.ShouldBe(314159);
        _server.Gzip.TakeCompressed().ShouldBe(0);
    }

    [Fact]
    public async Task Server_compressed_unary()
    {
        foreach (var isCompressed in (bool[])[true, false])
        {
            var request = Large();
            request.ResponseCompressed = new BoolValue { Value = isCompressed };
            (await _client.UnaryCallAsync(request).ResponseAsync.Within()).Payload.Body.Length.ShouldBe(314159);
            _server.Gzip.TakeDecompressed().ShouldBe(isCompressed && _server.CompressesResponses ? 1 : 0);
        }
    }

    [Fact]
    public async Task Client_streaming()
    {
        using var call = _client.StreamingInputCall();
        foreach (var size in (int[])[27182, 8, 1828, 45904])
            await call.RequestStream.WriteAsync(new StreamingInputCallRequest { Payload = PayloadOf(size) }).Within();
        await call.RequestStream.CompleteAsync();

        (await call.ResponseAsync.Within()).AggregatedPayloadSize.ShouldBe(74922);
    }

    [Fact]
    public async Task Client_compressed_streaming()
    {
        if (_server.ChecksRequests)
        {
            using var probe = _client.StreamingInputCall();
            await probe.RequestStream.WriteAsync(Input(27182, isCompressed: true)).Within();
            (await ErrorOf(probe.ResponseAsync)).StatusCode.ShouldBe(StatusCode.InvalidArgument);
        }

        using var call = _client.StreamingInputCall(Compressed);
        await call.RequestStream.WriteAsync(Input(27182, isCompressed: true)).Within();
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.NoCompress);
        await call.RequestStream.WriteAsync(Input(45904, isCompressed: false)).Within();
        await call.RequestStream.CompleteAsync();

        (await call.ResponseAsync.Within()).AggregatedPayloadSize.ShouldBe(73086);
        _server.Gzip.TakeCompressed().ShouldBe(1);
    }

    [Fact]
    public async Task Server_streaming()
    {
        using var call = _client.StreamingOutputCall(Output(31415, 9, 2653, 58979));

        (await SizesOf(call.ResponseStream)).ShouldBe([31415, 9, 2653, 58979]);
        call.GetStatus().StatusCode.ShouldBe(StatusCode.OK);
    }

    [Fact]
    public async Task Server_compressed_streaming()
    {
        var request = Output(31415, 92653);
        request.ResponseParameters[0].Compressed = new BoolValue { Value = true };
        request.ResponseParameters[1].Compressed = new BoolValue { Value = false };
        using var call = _client.StreamingOutputCall(request);

        (await SizesOf(call.ResponseStream)).ShouldBe([31415, 92653]);
        _server.Gzip.TakeDecompressed().ShouldBe(_server.CompressesResponses ? 1 : 0);
    }

    [Fact]
    public async Task Ping_pong()
    {
        using var call = _client.FullDuplexCall();
        foreach (var (answer, request) in ((int, int)[])[(31415, 27182), (9, 8), (2653, 1828), (58979, 45904)])
        {
            var message = Output(answer);
            message.Payload = PayloadOf(request);
            await call.RequestStream.WriteAsync(message).Within();
            (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
            call.ResponseStream.Current.Payload.Body.Length.ShouldBe(answer);
        }

        await call.RequestStream.CompleteAsync();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeFalse();
        call.GetStatus().StatusCode.ShouldBe(StatusCode.OK);
    }

    [Fact]
    public async Task Half_duplex()
    {
        using var call = _client.HalfDuplexCall();
        foreach (var size in (int[])[31415, 9, 2653, 58979])
            await call.RequestStream.WriteAsync(Output(size)).Within();
        await call.RequestStream.CompleteAsync();

        (await SizesOf(call.ResponseStream)).ShouldBe([31415, 9, 2653, 58979]);
    }

    [Fact]
    public async Task Empty_stream()
    {
        using var call = _client.FullDuplexCall();
        await call.RequestStream.CompleteAsync();

        (await call.ResponseStream.MoveNext().Within()).ShouldBeFalse();
        call.GetStatus().StatusCode.ShouldBe(StatusCode.OK);
    }

    [Fact]
    public async Task Custom_metadata()
    {
        var sent = new Metadata { { EchoInitial, "test_initial_metadata_value" }, { EchoTrailing, EchoBytes } };

        using var unary = _client.UnaryCallAsync(Large(), sent);
        await unary.ResponseAsync.Within();
        ShouldEcho(await unary.ResponseHeadersAsync.Within(), unary.GetTrailers());

        using var duplex = _client.FullDuplexCall(sent);
        await duplex.RequestStream.WriteAsync(Output(314159)).Within();
        await duplex.RequestStream.CompleteAsync();
        (await SizesOf(duplex.ResponseStream)).ShouldBe([314159]);
        ShouldEcho(await duplex.ResponseHeadersAsync.Within(), duplex.GetTrailers());
    }

    [Fact]
    public async Task Status_code_and_message()
    {
        var asked = new EchoStatus { Code = 2, Message = "test status message" };
        var expected = new Status(StatusCode.Unknown, "test status message");

        (await ErrorOf(_client.UnaryCallAsync(new SimpleRequest { ResponseStatus = asked }))).Status
            .ShouldBe(expected);
        using var call = _client.FullDuplexCall();
        await call.RequestStream.WriteAsync(new StreamingOutputCallRequest { ResponseStatus = asked }).Within();
        await call.RequestStream.CompleteAsync();
        (await ErrorOf(call.ResponseStream.MoveNext())).Status.ShouldBe(expected);
    }

    [Fact]
    public async Task Special_status_message()
    {
        var request = new SimpleRequest { ResponseStatus = new EchoStatus { Code = 2, Message = SpecialWords } };

        (await ErrorOf(_client.UnaryCallAsync(request))).Status
            .ShouldBe(new Status(StatusCode.Unknown, SpecialWords));
    }

    [Fact]
    public async Task Unimplemented_method() =>
        (await ErrorOf(_client.UnimplementedCallAsync(new Empty()))).StatusCode.ShouldBe(StatusCode.Unimplemented);

    [Fact]
    public async Task Unimplemented_service() =>
        (await ErrorOf(new UnimplementedService.UnimplementedServiceClient(_server.Channel)
            .UnimplementedCallAsync(new Empty()))).StatusCode.ShouldBe(StatusCode.Unimplemented);

    [Fact]
    public async Task Cancel_after_begin()
    {
        using var cancel = new CancellationTokenSource();
        using var call = _client.StreamingInputCall(cancellationToken: cancel.Token);
        await cancel.CancelAsync();

        (await ErrorOf(call.ResponseAsync)).StatusCode.ShouldBe(StatusCode.Cancelled);
    }

    [Fact]
    public async Task Cancel_after_first_response()
    {
        using var cancel = new CancellationTokenSource();
        using var call = _client.FullDuplexCall(cancellationToken: cancel.Token);
        await call.RequestStream.WriteAsync(Output(31415)).Within();
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        await cancel.CancelAsync();

        (await ErrorOf(call.ResponseStream.MoveNext())).StatusCode.ShouldBe(StatusCode.Cancelled);
    }

    [Fact]
    public async Task Timeout_on_sleeping_server()
    {
        using var call = _client.FullDuplexCall(deadline: DateTime.UtcNow.AddMilliseconds(1));
        // The deadline may pass before or after the write: the read tells it in any case.
        await Record.ExceptionAsync(() => call.RequestStream.WriteAsync(
            new StreamingOutputCallRequest { Payload = PayloadOf(27182) }).Within());

        (await ErrorOf(call.ResponseStream.MoveNext())).StatusCode.ShouldBe(StatusCode.DeadlineExceeded);
    }

    [Fact]
    public async Task Concurrent_large_unary()
    {
        var replies = await Task.WhenAll(Enumerable.Range(0, 100)
            .Select(_ => _client.UnaryCallAsync(Large()).ResponseAsync)).Within();

        replies.ShouldAllBe(reply => reply.Payload.Body.Length == 314159);
    }

    [Fact]
    public async Task Rpc_soak()
    {
        for (var i = 0; i < SoakIterations; i++)
            await Large_unary();
    }

    [Fact]
    public async Task Channel_soak()
    {
        for (var i = 0; i < SoakIterations; i++)
        {
            using var channel = _server.Connect();
            (await new TestService.TestServiceClient(channel).UnaryCallAsync(Large()).ResponseAsync.Within())
                .Payload.Body.Length.ShouldBe(314159);
        }
    }

    static SimpleRequest Large() => new() { ResponseSize = 314159, Payload = PayloadOf(271828) };

    static StreamingInputCallRequest Input(int size, bool isCompressed) =>
        new() { Payload = PayloadOf(size), ExpectCompressed = new BoolValue { Value = isCompressed } };

    static StreamingOutputCallRequest Output(params int[] sizes) =>
        new() { ResponseParameters = { sizes.Select(size => new ResponseParameters { Size = size }) } };

    static Payload PayloadOf(int size) => new() { Body = ByteString.CopyFrom(new byte[size]) };

    static Task<List<int>> SizesOf(IAsyncStreamReader<StreamingOutputCallResponse> responses) =>
        responses.ReadAllAsync().Select(response => response.Payload.Body.Length).ToListAsync().AsTask().Within();

    static void ShouldEcho(Metadata headers, Metadata trailers)
    {
        headers.GetValue(EchoInitial).ShouldBe("test_initial_metadata_value");
        trailers.GetValueBytes(EchoTrailing).ShouldBe(EchoBytes);
    }

    static Task<RpcException> ErrorOf<T>(AsyncUnaryCall<T> call) => ErrorOf(call.ResponseAsync);

    static async Task<RpcException> ErrorOf(Task task) =>
        (await Record.ExceptionAsync(() => task.Within())).ShouldBeOfType<RpcException>();
}
