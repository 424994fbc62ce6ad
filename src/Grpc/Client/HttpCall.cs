using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Grpc.Net.Client.Balancer;
using Grpc.Net.Client.Retries;
using Grpc.Telemetry;
using Grpc.Wire;
using Hexcast.Grpc;

namespace Grpc.Net.Client;

/// <summary>
/// One call as an HTTP/2 request. (1) The request goes out; (2) its response headers come, or a trailers-only answer;
/// (3) messages are read; (4) the trailers tell the status. Whichever step fails ends the call.
/// </summary>
sealed class HttpCall<TRequest, TResponse>(
    GrpcChannel channel,
    Method<TRequest, TResponse> method,
    string? host,
    CallOptions options,
    ClientCallTelemetry? trace)
    : ClientCall<TRequest, TResponse>(channel, options)
    where TRequest : class
    where TResponse : class
{
    const int ReadBufferBytes = 16 * 1024;
    const int MaxPicks = 4;
    const string UserAgent = "grpc-csharp-hexcast/1.0";

    static readonly StreamPipeReaderOptions PipeOptions = new(bufferSize: ReadBufferBytes, leaveOpen: true);

    Task<FrameReader?>? _reader;
    HttpResponseMessage? _response;
    StreamContent<TRequest>? _requestStream;
    ReplayContent? _replay;
    int _previousAttempts;

    public override void SendUnary(TRequest request) =>
        Send(() => new UnaryContent<TRequest>(
            method.RequestMarshaller, request, Channel.MaxSendMessageSize, CompressorFor(Options.WriteOptions)));

    public override void SendStream()
    {
        var content = new StreamContent<TRequest>(
            method.RequestMarshaller, Channel.MaxSendMessageSize, RequestEncoding is null ? null : CompressorFor);
        _requestStream = content;
        Send(() => content);
    }

    /// <summary>As one of several attempts.</summary>
    public void SendContent(ReplayContent content, int previousAttempts)
    {
        _previousAttempts = previousAttempts;
        _replay = content;
        Send(() => content);
    }

    public override ValueTask WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        var body = _requestStream!;
        try
        {
            body.Add(message, WriteOptions);
        }
        catch (Exception e) when (body.IsBroken)
        {
            // Boundary: a marshaller may throw anything, and half of its message is on the way.
            Abort(new Status(StatusCode.Internal, "A message could not be serialized.", e));
            throw;
        }

        return body.FlushAsync(WriteOptions, cancellationToken);
    }

    public override void CompleteRequests() => _requestStream!.Complete();

    /// <summary>Once the server has answered: whether more follows its headers. Never throws.</summary>
    public async Task<bool> HasHeadersAsync() => await _reader! is not null;

    public override async Task<TResponse> ReadSingleAsync()
    {
        TResponse? message = null;
        try
        {
            if (await _reader! is { } reader)
            {
                message = await reader.ReadSingleAsync(method.ResponseMarshaller.ContextualDeserializer, Aborted);
                EndByTrailers(hasAllMessages: message is not null);
            }
        }
        catch (Exception e)
        {
            throw Fail(e);
        }

        return GetStatus().StatusCode == StatusCode.OK ? message! : throw EndedException();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<TResponse?> ReadNextAsync()
    {
        if (StatusIfEnded is null)
        {
            try
            {
                if (await _reader! is { } reader)
                {
                    var message = await reader.ReadAsync(method.ResponseMarshaller.ContextualDeserializer, Aborted);
                    if (message is not null)
                        return message;
                    EndByTrailers(hasAllMessages: true);
                }
            }
            catch (Exception e)
            {
                throw Fail(e);
            }
        }

        return GetStatus().StatusCode == StatusCode.OK ? null : throw EndedException();
    }

    protected override void ReleaseTransport()
    {
        _requestStream?.GiveUp();
        _replay?.End();
        Volatile.Read(ref _response)?.Dispose();
    }

    // (1) Never throws: what goes wrong is the call's end, and each read tells it.
    void Send(Func<HttpContent> content)
    {
        var http = Channel.Http;
        StartTimers();
        _reader = SendAsync(http, content);
    }

    async Task<FrameReader?> SendAsync(HttpMessageInvoker http, Func<HttpContent> content)
    {
        try
        {
            if (StatusIfEnded is not null)
                return null;
            var response = Channel.Connections is { } connections
                ? await SendToPickedAsync(http, connections, content())
                : await SendToAsync(http, Channel.Address, content());
            Volatile.Write(ref _response, response);
            _requestStream?.OnTaken();
            // The call may have ended while the response was on its way.
            if (StatusIfEnded is not null)
                response.Dispose();

            if (!TryAccept(response))
                return null;
            var body = await response.Content.ReadAsStreamAsync(Aborted);
            return new FrameReader(
                PipeReader.Create(body, PipeOptions), Channel.MaxReceiveMessageSize, DecompressorFor(response));
        }
        catch (Exception e)
        {
            Fail(e);
            return null;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    async ValueTask<HttpResponseMessage> SendToPickedAsync(
        HttpMessageInvoker http, ChannelConnections connections, HttpContent messages)
    {
        for (var i = 1; ; i++)
        {
            var address = await connections.PickAsync(Options.IsWaitForReady, Aborted);
            try
            {
                return await SendToAsync(http, address, messages);
            }
            catch (HttpRequestException e) when (i < MaxPicks && e.HttpRequestError == HttpRequestError.ConnectionError)
            {
                // Nothing was sent: what looked ready is not, and somebody else may be.
            }
        }
    }

    Task<HttpResponseMessage> SendToAsync(HttpMessageInvoker http, Uri address, HttpContent messages)
    {
        // Requests are not disposed: their bodies may go on for as long as the call does.
        return Channel.CallCredentials is null && Options.Credentials is null
            ? http.SendAsync(CreateRequest(messages, address), Aborted)
            : SendWithCredentialsAsync(http, address, messages);
    }

    async Task<HttpResponseMessage> SendWithCredentialsAsync(
        HttpMessageInvoker http, Uri address, HttpContent messages)
    {
        var credentials = await GetCredentialsAsync();
        // Only now: credentials may take a while, which is not left of the call's time.
        var request = CreateRequest(messages, address);
        foreach (var metadata in credentials)
            Add(request, metadata);
        return await http.SendAsync(request, Aborted);
    }

    HttpRequestMessage CreateRequest(HttpContent content, Uri address)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, method.FullName))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        if ((host ?? Channel.Host) is { } authority)
            request.Headers.Host = authority;
        if (Deadline != DateTime.MaxValue)
        {
            var left = Deadline - Channel.Time.GetUtcNow().UtcDateTime;
            request.Headers.TryAddWithoutValidation(GrpcHeaders.Timeout, GrpcTimeout.Format(left));
        }

        request.Headers.TryAddWithoutValidation(GrpcHeaders.Te, GrpcHeaders.Trailers);
        request.Headers.TryAddWithoutValidation("user-agent", UserAgent);
        if (RequestEncoding is not null)
            request.Headers.TryAddWithoutValidation(GrpcHeaders.Encoding, RequestEncoding.EncodingName);
        request.Headers.TryAddWithoutValidation(GrpcHeaders.AcceptEncoding, Channel.Encodings.AcceptList);
        if (_previousAttempts > 0)
        {
            request.Headers.TryAddWithoutValidation(
                GrpcHeaders.PreviousAttempts, _previousAttempts.ToString(CultureInfo.InvariantCulture));
        }

        Add(request, Options.Headers ?? Metadata.Empty);
        AddTrace(request);
        return request;
    }

    // A context that the caller wrote into the metadata is meant.
    void AddTrace(HttpRequestMessage request)
    {
        var headers = request.Headers.NonValidated;
        if (trace?.Traceparent is not { } traceparent || headers.Contains(TraceHeaders.Traceparent))
            return;
        request.Headers.TryAddWithoutValidation(TraceHeaders.Traceparent, traceparent);
        if (trace.Tracestate is { } tracestate)
            request.Headers.TryAddWithoutValidation(TraceHeaders.Tracestate, tracestate);
    }

    static void Add(HttpRequestMessage request, Metadata metadata)
    {
        foreach (var entry in metadata)
        {
            if (MetadataCodec.Write(entry) is { } value)
                request.Headers.TryAddWithoutValidation(entry.Key, value);
        }
    }

    async Task<IReadOnlyList<Metadata>> GetCredentialsAsync()
    {
        if (!Channel.MayCarryCredentials)
        {
            throw new RpcException(new Status(
                StatusCode.Unauthenticated,
                "Call credentials do not go over a channel without TLS: use https://, or set "
                + "UnsafeUseInsecureChannelCallCredentials where everybody on the way may know them."));
        }

        var all = new List<Metadata>();
        var authority = host ?? Channel.Address.Authority;
        var context = new AuthInterceptorContext(
            $"{Channel.Address.Scheme}://{authority}/{method.ServiceName}", method.Name, Aborted);
        foreach (var credentials in (CallCredentials?[])[Channel.CallCredentials, Options.Credentials])
        {
            if (credentials is null)
                continue;
            var metadata = new Metadata();
            try
            {
                await credentials.AddAsync(context, metadata);
            }
            catch (Exception e) when (e is not RpcException)
            {
                // Boundary: whatever gets a token may throw anything, and the call's server has no part in it.
                throw new RpcException(ErrorMapping.OfCredentials(e));
            }

            all.Add(metadata);
        }

        return all;
    }

    // (2) False where the headers already end the call.
    bool TryAccept(HttpResponseMessage response)
    {
        // A status that the server names goes before what HTTP says.
        if (TryReadStatus(response.Headers, out var status))
        {
            var trailersOnly = ReadMetadata(response.Headers);
            SetHeaders(trailersOnly);
            EndByServer(status, trailersOnly, method.Type is MethodType.ServerStreaming or MethodType.DuplexStreaming);
            return false;
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            Abort(new Status(
                ErrorMapping.ToStatusCode(response.StatusCode),
                $"Bad gRPC response: HTTP status {(int)response.StatusCode}."));
            return false;
        }

        var contentType = response.Content.Headers.NonValidated.TryGetValues("content-type", out var values)
            ? values.ToString()
            : null;
        if (!GrpcHeaders.IsGrpcContentType(contentType))
        {
            Abort(new Status(StatusCode.Cancelled, $"Bad gRPC response: the content type is \"{contentType}\"."));
            return false;
        }

        SetHeaders(ReadMetadata(response.Headers));
        return true;
    }

    MessageDecompressor? DecompressorFor(HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues(GrpcHeaders.Encoding, out var encoding))
            return null;
        if (!Channel.Encodings.TryGet(encoding.ToString(), out var provider))
        {
            throw new RpcException(new Status(
                StatusCode.Internal, $"The server chose the encoding \"{encoding}\", which was not offered."));
        }

        return provider is null ? null : new MessageDecompressor(provider, Channel.MaxReceiveMessageSize);
    }

    // (4)
    void EndByTrailers(bool hasAllMessages)
    {
        var trailers = _response!.TrailingHeaders;
        if (TryReadStatus(trailers, out var status))
            EndByServer(status, ReadMetadata(trailers), hasAllMessages);
        else
            Abort(new Status(StatusCode.Unknown, "The server ended the call without a status."));
    }

    void EndByServer(Status status, Metadata trailers, bool hasAllMessages)
    {
        if (status.StatusCode == StatusCode.OK && !hasAllMessages)
            status = new Status(StatusCode.Internal, "The server sent OK without a message.");
        End(status, trailers);
    }

    static bool TryReadStatus(HttpResponseHeaders headers, out Status status)
    {
        status = default;
        if (!headers.NonValidated.TryGetValues(GrpcHeaders.Status, out var code))
            return false;

        var detail = headers.NonValidated.TryGetValues(GrpcHeaders.Message, out var message)
            ? StatusMessage.Decode(message.ToString())
            : string.Empty;
        // A code that this side does not know is Unknown, as the protocol says; what is no number is a broken server.
        status = int.TryParse(code.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new Status(Enum.IsDefined((StatusCode)number) ? (StatusCode)number : StatusCode.Unknown, detail)
            : new Status(StatusCode.Internal, $"The server sent the invalid status \"{code}\".");
        return true;
    }

    static Metadata ReadMetadata(HttpResponseHeaders headers)
    {
        var metadata = new Metadata();
        try
        {
            foreach (var (name, values) in headers.NonValidated)
            {
                foreach (var value in values)
                    MetadataCodec.Read(name, value, metadata);
            }
        }
        catch (FormatException e)
        {
            throw new RpcException(new Status(StatusCode.Internal, e.Message, e));
        }

        return metadata;
    }
}
