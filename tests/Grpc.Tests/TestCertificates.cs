using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;

namespace Hexcast.Grpc.Tests;

/// <summary>An authority of this run's own, a server of 127.0.0.1 and localhost, and a client with a name.</summary>
static class TestCertificates
{
    public const string ClientName = "probe-client";

    static readonly Lazy<X509Certificate2> LazyAuthority = new(CreateAuthority);
    static readonly Lazy<X509Certificate2> LazyServer = new(() => Issue("localhost", "1.3.6.1.5.5.7.3.1"));
    static readonly Lazy<X509Certificate2> LazyClient = new(() => Issue(ClientName, "1.3.6.1.5.5.7.3.2"));

    public static X509Certificate2 Authority => LazyAuthority.Value;

    public static X509Certificate2 Server => LazyServer.Value;

    public static X509Certificate2 Client => LazyClient.Value;

    /// <summary>Trusts this run's authority and nobody else.</summary>
    public static X509ChainPolicy TrustPolicy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.Add(Authority);
        return policy;
    }

    /// <summary>What a channel to a server with such a certificate takes, as anybody would set it up.</summary>
    public static SocketsHttpHandler CreateHandler(X509Certificate2? client = null)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = true };
        handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = TrustPolicy() };
        if (client is not null)
            handler.SslOptions.ClientCertificates = [client];
        return handler;
    }

    static X509Certificate2 CreateAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Hexcast tests", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
    }

    static X509Certificate2 Issue(string name, string usage)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(
            Authority,
            DateTimeOffset.UtcNow.AddDays(-1),
            DateTimeOffset.UtcNow.AddDays(1),
            RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }
}

/// <summary>The same certificates as files, for peers that read no others.</summary>
sealed class CertificateFiles : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hexcast-grpc-");

    public CertificateFiles()
    {
        File.WriteAllText(Authority, TestCertificates.Authority.ExportCertificatePem());
        File.WriteAllText(Server, TestCertificates.Server.ExportCertificatePem());
        using var key = TestCertificates.Server.GetECDsaPrivateKey()!;
        File.WriteAllText(ServerKey, key.ExportPkcs8PrivateKeyPem());
    }

    public string Folder => _folder.FullName;

    string Authority => Path.Combine(Folder, "ca.pem");

    string Server => Path.Combine(Folder, "server.pem");

    string ServerKey => Path.Combine(Folder, "server.key");

    public void Dispose() => _folder.Delete(recursive: true);
}
