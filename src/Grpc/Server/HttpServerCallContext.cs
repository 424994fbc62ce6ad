using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Grpc.AspNetCore.Server.Features;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Grpc.AspNetCore.Server;

/// <summary>One call on the server: its HTTP request, its deadline and what it will end with.</summary>
sealed class HttpServerCallContext : ServerCallContext, IServerCallContextFeature, IDisposable
{
    readonly string _method;
    readonly MessageEncodings _encodings;
    readonly CancellationTokenSource? _deadlineOrAbort;
    readonly DeadlineTimer? _timer;
    readonly Lock _flushGate = new();
    Metadata? _requestHeaders;
    Metadata? _responseTrailers;
    AuthContext? _authContext;
    bool _isFlushing;
    volatile bool _isDeadlinePassed;

    /// <exception cref="RpcException">The request's protocol headers are not understood.</exception>
    public HttpServerCallContext(
        HttpContext httpContext,
        string method,
        GrpcServiceOptions options,
        MessageEncodings encodings,
        TimeProvider time)
    {
        HttpContext = httpContext;
        httpContext.Features.Set<IServerCallContextFeature>(this);
        _method = method;
        Options = options;
        _encodings = encodings;
        RequireTrailers(httpContext);
        Encoding = CallEncoding.Start(httpContext, options, encodings);
        DeadlineCore = DateTime.MaxValue;
        CancellationTokenCore = httpContext.RequestAborted;

        if (ReadTimeout(httpContext) is not { } timeout)
            return;
        var now = time.GetUtcNow().UtcDateTime;
        if (timeout >= DateTime.MaxValue - now)
            return;
        DeadlineCore = now + timeout;
        _deadlineOrAbort = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted);
        CancellationTokenCore = _deadlineOrAbort.Token;
        _timer = new DeadlineTimer(time, DeadlineCore, OnDeadlinePassed);
    }

    public HttpContext HttpContext { get; }

    ServerCallContext IServerCallContextFeature.ServerCallContext => this;

    public GrpcServiceOptions Options { get; }

    /// <summary>Null while neither side encodes anything.</summary>
    public CallEncoding? Encoding { get; private set; }

    public bool IsDeadlinePassed => _isDeadlinePassed;

    /// <summary>A message went to the response, so that the status belongs into the trailers.</summary>
    public bool HasWritten { get; private set; }

    /// <summary>Trailers, once any were set.</summary>
    public Metadata? TrailersIfAny => _responseTrailers;

    protected override string MethodCore => _method;

    protected override string HostCore => HttpContext.Request.Host.Value ?? string.Empty;

    protected override string PeerCore
    {
        get
        {
            var connection = HttpContext.Connection;
            return connection.RemoteIpAddress switch
            {
                null => HttpContext.Features.Get<IConnectionEndPointFeature>()?.RemoteEndPoint
                    is UnixDomainSocketEndPoint path ? $"unix:{path}" : "in-memory",
                { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false } ip =>
                    $"ipv6:[{ip}]:{connection.RemotePort}",
                var ip => $"ipv4:{ip.MapToIPv4()}:{connection.RemotePort}",
            };
        }
    }

    protected override DateTime DeadlineCore { get; }

    protected override CancellationToken CancellationTokenCore { get; }

    protected override Metadata RequestHeadersCore => _requestHeaders ??= ReadRequestHeaders();

    protected override Metadata ResponseTrailersCore => _responseTrailers ??= [];

    protected override Status StatusCore { get; set; } = Status.DefaultSuccess;

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore =>
        _authContext ??= PeerCertificate.ToAuthContext(HttpContext.Connection.ClientCertificate);

    public void Dispose()
    {
        _timer?.Dispose();
        _deadlineOrAbort?.Dispose();
    }

    /// <summary>Sends what is buffered; waits while the caller's window is full.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FlushAsync()
    {
        HasWritten = true;
        var cancellation = CancellationTokenCore;
        lock (_flushGate)
        {
            cancellation.ThrowIfCancellationRequested();
            _isFlushing = true;
        }

        try
        {
            // Kestrel would reset the whole stream if the token of a flush were cancelled; a caller past its
            // deadline is still owed a status. So the deadline cancels the wait only.
#pragma warning disable MA0040
            var result = await HttpContext.Response.BodyWriter.FlushAsync();
#pragma warning restore MA0040
            if (result.IsCanceled || result.IsCompleted)
                throw new CallerGoneException(null, cancellation);
        }
        finally
        {
            lock (_flushGate)
                _isFlushing = false;
        }
    }

    public void MarkWritten() => HasWritten = true;

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options)
    {
        options ??= ContextPropagationOptions.Default;
        return new ContextPropagationToken(
            options.IsPropagateDeadline ? DeadlineCore : DateTime.MaxValue,
            options.IsPropagateCancellation ? CancellationTokenCore : CancellationToken.None);
    }

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        if (HasWritten || HttpContext.Response.HasStarted)
            throw new InvalidOperationException("Response headers can be sent once, before the first message.");
        foreach (var entry in responseHeaders)
        {
            if (entry.Key == GrpcHeaders.EncodingRequest)
                (Encoding ??= new CallEncoding(HttpContext, Options, _encodings)).Choose(entry.Value);
            if (MetadataCodec.Write(entry) is { } value)
                HttpContext.Response.Headers.Append(entry.Key, value);
        }

        return FlushAsync().AsTask();
    }

    void OnDeadlinePassed()
    {
        _isDeadlinePassed = true;
        try
        {
            _deadlineOrAbort!.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call ended at this very moment.
            return;
        }

        lock (_flushGate)
        {
            if (_isFlushing)
                HttpContext.Response.BodyWriter.CancelPendingFlush();
        }
    }

    Metadata ReadRequestHeaders()
    {
        var metadata = new Metadata();
        try
        {
            foreach (var (name, values) in HttpContext.Request.Headers)
            {
                foreach (var value in values)
                    MetadataCodec.Read(name, value ?? string.Empty, metadata);
            }
        }
        catch (FormatException e)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message, e));
        }

        return metadata;
    }

    // Whoever leaves it out may lose the trailers, and the status with them.
    static void RequireTrailers(HttpContext httpContext)
    {
        if (httpContext.Request.Headers.TE.ToString() != GrpcHeaders.Trailers)
        {
            throw new RpcException(new Status(
                StatusCode.Internal, "The request lacks \"te: trailers\": is a proxy without gRPC on the way?"));
        }
    }

    static TimeSpan? ReadTimeout(HttpContext httpContext)
    {
        var text = httpContext.Request.Headers[GrpcHeaders.Timeout];
        if (text.Count == 0)
            return null;
        if (!GrpcTimeout.TryParse(text.ToString(), out var timeout))
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, "The grpc-timeout header is not up to 8 digits and one of H M S m u n."));
        }

        return timeout;
    }
}
