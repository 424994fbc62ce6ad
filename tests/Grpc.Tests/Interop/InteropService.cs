using Google.Protobuf;
using Grpc.Core;

namespace Hexcast.Grpc.Tests.Interop;

/// <summary>The interop server of this project, on its public surface as any service would be.</summary>
sealed class InteropService(CountingGzip gzip) : TestService.TestServiceBase
{
    const string EchoInitial = "x-grpc-test-echo-initial";
    const string EchoTrailing = "x-grpc-test-echo-trailing-bin";

    public override async Task<Empty> EmptyCall(Empty request, ServerCallContext context)
    {
        await EchoAsync(context, encoding: null);
        return new Empty();
    }

    public override async Task<SimpleResponse> UnaryCall(SimpleRequest request, ServerCallContext context)
    {
        CheckCompression(request.ExpectCompressed);
        await EchoAsync(context, request.ResponseCompressed);
        ThrowIfAsked(request.ResponseStatus);
        return new SimpleResponse { Payload = PayloadOf(request.ResponseSize) };
    }

    public override async Task StreamingOutputCall(
        StreamingOutputCallRequest request,
        IServerStreamWriter<StreamingOutputCallResponse> responseStream,
        ServerCallContext context)
    {
        var compressed = request.ResponseParameters.FirstOrDefault(p => p.Compressed is not null)?.Compressed;
        await EchoAsync(context, compressed is null ? null : new BoolValue { Value = true });
        await AnswerAsync(request, responseStream, context);
    }

    public override async Task<StreamingInputCallResponse> StreamingInputCall(
        IAsyncStreamReader<StreamingInputCallRequest> requestStream, ServerCallContext context)
    {
        await EchoAsync(context, encoding: null);
        var bytes = 0;
        await foreach (var request in requestStream.ReadAllAsync())
        {
            CheckCompression(request.ExpectCompressed);
            bytes += request.Payload.Body.Length;
        }

        return new StreamingInputCallResponse { AggregatedPayloadSize = bytes };
    }

    public override async Task FullDuplexCall(
        IAsyncStreamReader<StreamingOutputCallRequest> requestStream,
        IServerStreamWriter<StreamingOutputCallResponse> responseStream,
        ServerCallContext context)
    {
        await EchoAsync(context, encoding: null);
        await foreach (var request in requestStream.ReadAllAsync())
            await AnswerAsync(request, responseStream, context);
    }

    public override async Task HalfDuplexCall(
        IAsyncStreamReader<StreamingOutputCallRequest> requestStream,
        IServerStreamWriter<StreamingOutputCallResponse> responseStream,
        ServerCallContext context)
    {
        await EchoAsync(context, encoding: null);
        foreach (var request in await requestStream.ReadAllAsync().ToListAsync())
            await AnswerAsync(request, responseStream, context);
    }

    static async Task AnswerAsync(
        StreamingOutputCallRequest request,
        IServerStreamWriter<StreamingOutputCallResponse> responses,
        ServerCallContext context)
    {
        foreach (var parameters in request.ResponseParameters)
        {
            await Task.Delay(TimeSpan.FromMicroseconds(parameters.IntervalUs), context.CancellationToken);
            responses.WriteOptions = new WriteOptions(
                parameters.Compressed is { Value: false } ? WriteFlags.NoCompress : default);
            await responses.WriteAsync(new StreamingOutputCallResponse { Payload = PayloadOf(parameters.Size) });
        }

        ThrowIfAsked(request.ResponseStatus);
    }

    static async Task EchoAsync(ServerCallContext context, BoolValue? encoding)
    {
        var headers = new Metadata();
        if (context.RequestHeaders.Get(EchoInitial) is { } initial)
            headers.Add(initial);
        if (encoding is { Value: true })
            headers.Add("grpc-internal-encoding-request", "gzip");
        if (context.RequestHeaders.Get(EchoTrailing) is { } trailing)
            context.ResponseTrailers.Add(trailing);
        if (headers.Count > 0)
            await context.WriteResponseHeadersAsync(headers);
    }

    static void ThrowIfAsked(EchoStatus? status)
    {
        if (status is { Code: not 0 })
            throw new RpcException(new Status((StatusCode)status.Code, status.Message));
    }

    static Payload PayloadOf(int bytes) => new() { Body = ByteString.CopyFrom(new byte[bytes]) };

    // Calls come one after another here: what was decompressed since the last look is this request.
    void CheckCompression(BoolValue? expected)
    {
        var isCompressed = gzip.TakeDecompressed() > 0;
        if (expected is not null && expected.Value != isCompressed)
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, isCompressed ? "The request is compressed." : "It is not compressed."));
        }
    }
}
