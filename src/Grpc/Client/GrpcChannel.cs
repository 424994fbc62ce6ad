using System.Net;
using Grpc.Core;
using Grpc.Net.Client.Balancer;
using Grpc.Net.Client.Retries;
using Grpc.Net.Compression;
using Microsoft.Extensions.Logging;

namespace Grpc.Net.Client;

/// <summary>
/// A way to one address, over HTTP/2 (without TLS for http://, by prior knowledge). Connects when the first call needs
/// it, shares connections among calls, and is meant to live as long as its user.
/// </summary>
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    static readonly TimeSpan KeepAlivePingDelay = TimeSpan.FromSeconds(20);
    static readonly TimeSpan KeepAlivePingTimeout = TimeSpan.FromSeconds(10);

    readonly HttpMessageInvoker _http;
    readonly HttpCallInvoker _invoker;
    readonly CancellationTokenSource _shutdown = new();
    bool _isDisposed;

    GrpcChannel(Uri address, bool isSecure, GrpcChannelOptions options)
        : base(address.IsAbsoluteUri && address.Authority.Length > 0 ? address.Authority : address.OriginalString)
    {
        Address = IsHttp(address) ? address : AuthorityOf(address, isSecure);
        Host = address.Scheme == ConnectionSetup.Dns ? Address.Authority : null;
        MaxReceiveMessageSize = options.MaxReceiveMessageSize;
        MaxSendMessageSize = options.MaxSendMessageSize;
        ThrowOperationCanceled = options.ThrowOperationCanceledOnCancellation;
        Time = options.TimeProvider;
        Retries = new MethodRetries(options);
        CallCredentials = options.Credentials?.OfCalls;
        MayCarryCredentials = isSecure || options.UnsafeUseInsecureChannelCallCredentials;
        Encodings = new MessageEncodings(options.CompressionProviders ?? MessageEncodings.DefaultProviders);
        Logger = options.LoggerFactory?.CreateLogger("Grpc.Net.Client");
        if (options.HttpClient is not null && options.HttpHandler is not null)
            throw new ArgumentException("A channel sends by HttpClient or by HttpHandler, not both.", nameof(options));
        var handler = options.HttpClient is null ? options.HttpHandler ?? CreateHandler()
            : new OverHttpClient(options.HttpClient);
        Connections = ConnectionSetup.Attach(address, isSecure, options, handler);
        _http = new HttpMessageInvoker(
            handler,
            disposeHandler: options.DisposeHttpClient || (options.HttpHandler is null && options.HttpClient is null));
        _invoker = new HttpCallInvoker(this);
    }

    internal Uri Address { get; }

    /// <summary>What requests and certificates name where connections go to addresses that were looked up.</summary>
    internal string? Host { get; }

    internal int? MaxReceiveMessageSize { get; }

    internal int? MaxSendMessageSize { get; }

    internal bool ThrowOperationCanceled { get; }

    internal TimeProvider Time { get; }

    internal ILogger? Logger { get; }

    internal MethodRetries Retries { get; }

    /// <summary>Null where a handler connects in its own way.</summary>
    internal ChannelConnections? Connections { get; }

    /// <summary>Not for channels whose handler connects in its own way.</summary>
    public ConnectivityState State => Known().State;

    /// <summary>Of all calls.</summary>
    internal CallCredentials? CallCredentials { get; }

    internal bool MayCarryCredentials { get; }

    internal MessageEncodings Encodings { get; }

    internal HttpMessageInvoker Http
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _http;
        }
    }

    /// <summary>Cancelled when the channel goes, and its running calls with it.</summary>
    internal CancellationToken Shutdown => _shutdown.Token;

    public static GrpcChannel ForAddress(string address) => ForAddress(address, new GrpcChannelOptions());

    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions) =>
        ForAddress(new Uri(address), channelOptions);

    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());

    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(channelOptions);
        if (!address.IsAbsoluteUri)
            throw new ArgumentException($"The address {address} must start with http:// or https://.", nameof(address));
        if (!IsHttp(address))
        {
            return new GrpcChannel(
                address,
                channelOptions.Credentials?.IsSecure ?? throw new InvalidOperationException(
                    $"The address {address} does not tell whether to use TLS: set GrpcChannelOptions.Credentials."),
                channelOptions);
        }

        if (channelOptions.Credentials is { } credentials
            && credentials.IsSecure != (address.Scheme == Uri.UriSchemeHttps))
        {
            throw new InvalidOperationException(
                $"The address {address} and the channel's credentials disagree about TLS: "
                + "https:// goes with SecureSsl, http:// with Insecure.");
        }

        return new GrpcChannel(address, address.Scheme == Uri.UriSchemeHttps, channelOptions);
    }

    public override CallInvoker CreateCallInvoker()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _invoker;
    }

    /// <summary>Connects, and waits until a call could be made at once.</summary>
    public async Task ConnectAsync(CancellationToken cancellationToken = default) =>
        await Known().ConnectAsync(cancellationToken);

    public Task WaitForStateChangedAsync(
        ConnectivityState lastObservedState, CancellationToken cancellationToken = default) =>
        Known().WaitForStateChangedAsync(lastObservedState, cancellationToken);

    /// <summary>Cancels the calls that still run and closes the connections.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _shutdown.Cancel();
        _shutdown.Dispose();
        _http.Dispose();
        Connections?.Dispose();
    }

    /// <summary>The handler that channels use by default, for those who want to change one thing about it.</summary>
    internal static SocketsHttpHandler CreateHandler() => new()
    {
        // Each call takes its context along by itself; the handler would name a span that nobody exports.
        ActivityHeadersPropagator = null,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = ConnectTimeout,
        EnableMultipleHttp2Connections = true,
        // A dead peer is noticed while a stream waits for it, though no byte flows.
        KeepAlivePingDelay = KeepAlivePingDelay,
        KeepAlivePingTimeout = KeepAlivePingTimeout,
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        UseCookies = false,
        // HTTP/2 by prior knowledge cannot pass a proxy that the environment names.
        UseProxy = false,
    };

    static bool IsHttp(Uri address) => address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps;

    // Requests have a host of their own each; this one is for those who ask whom the channel is for.
    static Uri AuthorityOf(Uri address, bool isSecure)
    {
        var scheme = isSecure ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        var name = Uri.UnescapeDataString(address.AbsolutePath.Trim('/'));
        return Uri.TryCreate($"{scheme}://{name}", UriKind.Absolute, out var named)
            ? named
            : new Uri($"{scheme}://localhost");
    }

    ChannelConnections Known() => Connections ?? throw new InvalidOperationException(
        "The channel's handler connects in its own way, so that nothing is known of its state.");

    // An HttpClient by itself reads whole answers before it shows them, and streams have no end.
    sealed class OverHttpClient(HttpClient client) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken) =>
            client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                client.Dispose();
            base.Dispose(disposing);
        }
    }

    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }
}
