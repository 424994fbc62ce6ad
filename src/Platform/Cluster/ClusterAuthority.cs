using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hexcast.Platform.Identity;

namespace Hexcast.Platform.Cluster;

/// <summary>
/// The cluster's own CA. It signs certificates of nodes and nothing else, each good for both ends of a connection.
/// </summary>
internal sealed class ClusterAuthority : IDisposable
{
    public static readonly TimeSpan NodeLifetime = TimeSpan.FromDays(90);

    private static readonly TimeSpan OwnLifetime = TimeSpan.FromDays(20 * 365.25);

    /// <summary>Clocks of nodes differ: what is signed now is good on one that is behind.</summary>
    private static readonly TimeSpan Backdated = TimeSpan.FromDays(1);

    private const int SerialBytes = 16;
    private const int FileLimitBytes = 64 * 1024;

    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    private readonly X509Certificate2 signer;

    private ClusterAuthority(X509Certificate2 signer) => this.signer = signer;

    public X509Certificate2 Certificate => signer;

    public static ClusterAuthority Create(string clusterId, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(
            new X500DistinguishedName($"CN=Hexcast cluster {clusterId}"), key, HashAlgorithmName.SHA256);
        // Nothing below it may sign.
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return new ClusterAuthority(request.CreateSelfSigned(now - (2 * Backdated), now + OwnLifetime));
    }

    /// <exception cref="CryptographicException">The files are no CA and its key.</exception>
    public static ClusterAuthority Load(ClusterIdentity identity)
    {
        try
        {
            return new ClusterAuthority(X509Certificate2.CreateFromPem(
                Text(identity.AuthorityFile), Text(identity.AuthorityKeyFile)));
        }
        catch (ArgumentException mismatch)
        {
            throw new CryptographicException(
                $"{identity.AuthorityKeyFile} is not the key of {identity.AuthorityFile}", mismatch);
        }

        static string Text(string path) =>
            System.Text.Encoding.UTF8.GetString(SmallFile.Read(path, FileLimitBytes));
    }

    public string KeyPem()
    {
        using var key = signer.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }

    /// <summary>
    /// A certificate for that name. Of what the node sent its key alone is in it: what it may be is decided here.
    /// </summary>
    /// <param name="address">Its host is named too, for tools that compare it (etcdctl); nodes compare names.</param>
    public X509Certificate2 Issue(PublicKey key, string clusterId, string node, string address, DateTimeOffset now)
    {
        var request = new CertificateRequest(
            new X500DistinguishedName($"CN={node}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([ServerAuthentication, ClientAuthentication], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            signer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(NodeNames.UriOf(clusterId, node));
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        if (IPEndPoint.TryParse(address, out var endpoint))
        {
            if (!IPAddress.IsLoopback(endpoint.Address))
            {
                names.AddIpAddress(endpoint.Address);
            }
        }
        else if (Uri.TryCreate($"tcp://{address}", UriKind.Absolute, out var uri)
            && uri.HostNameType == UriHostNameType.Dns && uri.Host != "localhost")
        {
            names.AddDnsName(uri.Host);
        }

        request.CertificateExtensions.Add(names.Build());
        // Within the CA's own time, also where the clock that made it was far ahead.
        var (begins, first) = (now - Backdated, new DateTimeOffset(signer.NotBefore));
        var (ends, last) = (now + NodeLifetime, new DateTimeOffset(signer.NotAfter));
        var serial = IdSource.NewSecret(SerialBytes);
        // A positive INTEGER (RFC 5280, 4.1.2.2).
        serial[0] &= 0x7f;
        serial[0] |= 0x40;
        return request.Create(
            signer, begins > first ? begins : first, ends < last ? ends : last, serial);
    }

    /// <summary>
    /// The key of a request for a certificate, which has to be signed by it. Null: it is none, or of another kind.
    /// </summary>
    public static PublicKey? KeyOf(ReadOnlySpan<byte> certificateRequest)
    {
        try
        {
            // Refused unless the signature is the key's own; extensions are not looked at.
            var request = CertificateRequest.LoadSigningRequest(
                certificateRequest, HashAlgorithmName.SHA256, out var read);
            using var key = request.PublicKey.GetECDsaPublicKey();
            return read == certificateRequest.Length && key is { KeySize: 256 }
                && key.ExportParameters(false).Curve.Oid?.Value == ECCurve.NamedCurves.nistP256.Oid.Value
                ? request.PublicKey : null;
        }
        catch (Exception malformed) when (
            malformed is CryptographicException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Signed by the key that it is about.</summary>
    public static byte[] RequestOf(ECDsa key, string node) => new CertificateRequest(
        new X500DistinguishedName($"CN={node}"), key, HashAlgorithmName.SHA256).CreateSigningRequest();

    public static DateTimeOffset EndOf(X509Certificate2 certificate) => new(certificate.NotAfter.ToUniversalTime());

    public static string Fingerprint(X509Certificate2 certificate) =>
        Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));

    public static string Fingerprint(PublicKey key) =>
        Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    public void Dispose() => signer.Dispose();
}
