using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Platform.Configuration;

namespace Hexcast.Coordination.Client.Members;

/// <summary>
/// How etcd is entered: whose certificates it may show, and which one this node shows. The files are read anew for each
/// connection, so that new ones are taken over without a restart.
/// </summary>
internal sealed class EtcdAccess(CoordinationOptions options, TimeProvider clock)
{
    /// <summary>etcd splits watch responses at 1.5 MiB, and pages here get smaller until they fit.</summary>
    private const int MaximumMessageBytes = 16 * 1024 * 1024;

    private const int MaximumFileBytes = 1024 * 1024;

    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How a connection ends whose TLS stands, but for the certificate that the client showed or did not (RFC 8446,
    /// section 4.4.2.4): by an alert, or where .NET loses that, before HTTP/2 is spoken.
    /// </summary>
    private static readonly string[] Refusals =
    [
        "bad certificate", "certificate required", "unknown ca", "certificate unknown", "certificate expired",
        "did not complete the HTTP/2 handshake",
    ];

    /// <exception cref="ConfigurationException">A file cannot be used.</exception>
    public void Check()
    {
        List<string> problems = [];
        Try(nameof(options.AuthorityFile), options.AuthorityFile, () => ReadAuthorities());
        Try(nameof(options.CertificateFile), options.CertificateFile, () => ReadOwn()?.Dispose());
        Try(nameof(options.PasswordFile), options.PasswordFile, () => Password());
        if (problems.Count > 0)
        {
            throw new ConfigurationException(problems);
        }

        void Try(string option, string path, Action read)
        {
            try
            {
                read();
            }
            catch (Exception unusable) when (IsOfFile(unusable))
            {
                problems.Add($"Coordination:{option} = '{path}': {unusable.Message.TrimEnd('.')}.");
            }
        }
    }

    public string Password() => options.PasswordFile.Length > 0
        ? ReadFile(options.PasswordFile).TrimEnd('\r', '\n')
        : options.Password;

    /// <param name="member">http:// or https://, host and port.</param>
    /// <param name="lost">Told when no connection can be made.</param>
    /// <exception cref="CoordinatorException">A file cannot be used now.</exception>
    public MemberLink Open(string member, Action lost)
    {
        CoordinatorException? fault = null;
        var stands = false;
        var address = new Uri(member);
        var handler = new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            EnableMultipleHttp2Connections = true,
            UseCookies = false,
            UseProxy = false,
            ConnectCallback = (context, cancellation) => ConnectAsync(context.DnsEndPoint, lost, cancellation),
        };
        try
        {
            if (address.Scheme == Uri.UriSchemeHttps)
            {
                handler.SslOptions = Handshake(words =>
                {
                    stands = words is null;
                    fault = words is null ? null
                        : new CoordinatorException(CoordinatorError.ServerNotTrusted, $"{member}: {words}");
                });
            }
        }
        catch (Exception unusable) when (IsOfFile(unusable))
        {
            handler.Dispose();
            throw new CoordinatorException(
                CoordinatorError.CertificateRefused, $"{member}: {unusable.Message}", unusable);
        }

        var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaximumMessageBytes,
            TimeProvider = clock,
        });
        return new MemberLink(member, channel, failed => fault ?? (stands ? Refusal(member, failed) : null));
    }

    /// <summary>Whether the member closed the connection for want of a certificate that it takes.</summary>
    private CoordinatorException? Refusal(string member, RpcException failed)
    {
        for (var cause = failed.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            if (Refusals.Any(words => cause.Message.Contains(words, StringComparison.OrdinalIgnoreCase)))
            {
                return new CoordinatorException(
                    CoordinatorError.CertificateRefused,
                    options.CertificateFile.Length == 0
                        ? $"{member}: it wants a client's certificate: give one as Coordination:CertificateFile "
                            + "and Coordination:KeyFile"
                        : $"{member}: it does not take the certificate in {options.CertificateFile}: it has to be of "
                            + "the authority that etcd trusts (--trusted-ca-file), for clientAuth, and valid now",
                    failed);
            }
        }

        return null;
    }

    private async ValueTask<Stream> ConnectAsync(DnsEndPoint member, Action lost, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var limit = new CancellationTokenSource(ConnectTime, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            await socket.ConnectAsync(member, either.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            lost();
            cancellation.ThrowIfCancellationRequested();
            throw new IOException(
                $"{member.Host}:{member.Port} cannot be connected to: {exception.Message}", exception);
        }
    }

    private SslClientAuthenticationOptions Handshake(Action<string?> judged)
    {
        var own = ReadOwn();
        var policy = new X509ChainPolicy
        {
            // Nothing is fetched from addresses that a certificate names.
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        if (ReadAuthorities() is { } authorities)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(authorities);
        }

        return new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateContext = own is null
                ? null : SslStreamCertificateContext.Create(own, ReadChain(), offline: true),
            CertificateChainPolicy = policy,
            RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
            {
                judged(errors == SslPolicyErrors.None ? null
                    : WhyNot(((SslStream)sender).TargetHostName, certificate as X509Certificate2, chain, errors));
                return errors == SslPolicyErrors.None;
            },
        };
    }

    private static string WhyNot(
        string host, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return $"its certificate ({certificate?.Subject}) is not for {host}: use a name that is in it, "
                + "or have one made with this name among its subject alternative names";
        }

        var faults = chain?.ChainStatus.Select(status => status.Status).ToList() ?? [];
        return faults.Contains(X509ChainStatusFlags.NotTimeValid)
            ? $"its certificate ({certificate?.Subject}), or one above it, is not valid now: "
                + $"it is from {certificate?.NotBefore:u} to {certificate?.NotAfter:u}; look at the clocks too"
            : $"its certificate ({certificate?.Subject}, by {certificate?.Issuer}) is not of an authority that is "
                + "trusted here: Coordination:AuthorityFile has to name the one that made it";
    }

    private X509Certificate2Collection? ReadAuthorities()
    {
        if (options.AuthorityFile.Length == 0)
        {
            return null;
        }

        var all = new X509Certificate2Collection();
        all.ImportFromPem(ReadFile(options.AuthorityFile));
        return all.Count > 0 ? all : throw new CryptographicException("no certificate is in it; it has to be PEM");
    }

    private X509Certificate2? ReadOwn()
    {
        if (options.CertificateFile.Length == 0)
        {
            return null;
        }

        try
        {
            return X509Certificate2.CreateFromPem(ReadFile(options.CertificateFile), ReadFile(options.KeyFile));
        }
        catch (ArgumentException mismatch)
        {
            throw new CryptographicException(
                "the key in Coordination:KeyFile is not the certificate's", mismatch);
        }
    }

    private X509Certificate2Collection ReadChain()
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(ReadFile(options.CertificateFile));
        return all;
    }

    private static string ReadFile(string path)
    {
        var file = new FileInfo(path);
        return file.Exists && file.Length > MaximumFileBytes
            ? throw new IOException($"it is larger than {MaximumFileBytes} bytes")
            : File.ReadAllText(path);
    }

    private static bool IsOfFile(Exception failed) =>
        failed is IOException or UnauthorizedAccessException or CryptographicException;
}
