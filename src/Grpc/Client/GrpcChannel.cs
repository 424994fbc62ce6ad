using System.Net;
using Grpc.Core;
using Grpc.Net.Client.Retries;
using Grpc.Net.Compression;

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

    GrpcChannel(Uri address, GrpcChannelOptions options)
        : base(address.Authority)
    {
        Address = address;
        MaxReceiveMessageSize = options.MaxReceiveMessageSize;
        MaxSendMessageSize = options.MaxSendMessageSize;
        ThrowOperationCanceled = options.ThrowOperationCanceledOnCancellation;
        Time = options.TimeProvider;
        Retries = new MethodRetries(options);
        CallCredentials = options.Credentials?.OfCalls;
        MayCarryCredentials = address.Scheme == Uri.UriSchemeHttps || options.UnsafeUseInsecureChannelCallCredentials;
        Encodings = new MessageEncodings(options.CompressionProviders ?? MessageEncodings.DefaultProviders);
        _http = new HttpMessageInvoker(
            options.HttpHandler ?? CreateHandler(),
            disposeHandler: options.HttpHandler is null || options.DisposeHttpClient);
        _invoker = new HttpCallInvoker(this);
    }

    internal Uri Address { get; }

    internal int? MaxReceiveMessageSize { get; }

    internal int? MaxSendMessageSize { get; }

    internal bool ThrowOperationCanceled { get; }

    internal TimeProvider Time { get; }

    internal MethodRetries Retries { get; }

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
        if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
            throw new ArgumentException($"The address {address} must start with http:// or https://.", nameof(address));
        if (channelOptions.Credentials is { } credentials
            && credentials.IsSecure != (address.Scheme == Uri.UriSchemeHttps))
        {
            throw new InvalidOperationException(
                $"The address {address} and the channel's credentials disagree about TLS: "
                + "https:// goes with SecureSsl, http:// with Insecure.");
        }

        return new GrpcChannel(address, channelOptions);
    }

    public override CallInvoker CreateCallInvoker()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _invoker;
    }

    /// <summary>Cancels the calls that still run and closes the connections.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _shutdown.Cancel();
        _shutdown.Dispose();
        _http.Dispose();
    }

    /// <summary>The handler that channels use by default, for those who want to change one thing about it.</summary>
    internal static SocketsHttpHandler CreateHandler() => new()
    {
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

    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }
}
