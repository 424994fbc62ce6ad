using Grpc.Core;
using Grpc.Net.Client.Configuration;
using Grpc.Net.Compression;
using Grpc.Wire;
using Microsoft.Extensions.Logging;

namespace Grpc.Net.Client;

/// <summary>How a channel connects and what its calls may carry.</summary>
public class GrpcChannelOptions
{
    /// <summary>Sends the requests. Null: a handler of the channel's own, fit for long-lived calls.</summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Sends the requests, instead of a handler; its own limit of time is one for calls too.</summary>
    public HttpClient? HttpClient { get; set; }

    /// <summary>Hears of calls that fail; null: nobody does.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>
    /// Whether the channel uses TLS, which an http:// or https:// address says too, and what all its calls carry.
    /// </summary>
    public ChannelCredentials? Credentials { get; set; }

    /// <summary>Lets call credentials, which are secrets, go over a connection without TLS.</summary>
    public bool UnsafeUseInsecureChannelCallCredentials { get; set; }

    /// <summary>Disposes <see cref="HttpHandler"/> or <see cref="HttpClient"/> with the channel.</summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>Where resolver factories come from; null: nowhere.</summary>
    public IServiceProvider? ServiceProvider { get; set; }

    /// <summary>In bytes; null lifts the limit. Over it a call ends with ResourceExhausted.</summary>
    public int? MaxReceiveMessageSize { get; set; } = GrpcHeaders.DefaultMaxReceiveMessageSize;

    /// <summary>In bytes; null, the default, is no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>The encodings that servers and calls may use, besides identity; null, the default: gzip.</summary>
    public IList<ICompressionProvider>? CompressionProviders { get; set; }

    /// <summary>Retries by method, and how calls spread over addresses; null: one attempt, pick_first.</summary>
    public ServiceConfig? ServiceConfig { get; set; }

    /// <summary>Of one call with the first one; goes before what a retry policy says.</summary>
    public int? MaxRetryAttempts { get; set; } = 5;

    /// <summary>In bytes, of all calls that may be tried again; a call that does not fit in is made once.</summary>
    public long? MaxRetryBufferSize { get; set; } = 16 * 1024 * 1024;

    /// <summary>In bytes; a call that has sent more is not tried again.</summary>
    public long? MaxRetryBufferPerCallSize { get; set; } = 1024 * 1024;

    /// <summary>Before the second attempt to connect; each further one waits 1.6 times as long.</summary>
    public TimeSpan InitialReconnectBackoff { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Null: no limit.</summary>
    public TimeSpan? MaxReconnectBackoff { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>A call cancelled by its token throws OperationCanceledException instead of RpcException.</summary>
    public bool ThrowOperationCanceledOnCancellation { get; set; }

    /// <summary>What deadlines are measured with.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
