using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Hexcast.Harness;

/// <summary>An authority with its certificates as files, as etcd reads them.</summary>
public sealed class CertificateAuthority : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";

    private readonly string folder;
    private readonly string name;
    private readonly X509Certificate2 certificate;
    private readonly DateTimeOffset now = TimeProvider.System.GetUtcNow();

    public CertificateAuthority(string folder, string name)
    {
        (this.folder, this.name) = (folder, name);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        certificate = request.CreateSelfSigned(now.AddDays(-2), now.AddDays(2));
        File.WriteAllText(AuthorityFile, certificate.ExportCertificatePem());
    }

    public string AuthorityFile => Path.Combine(folder, $"{name}.pem");

    /// <summary>For 127.0.0.1, and not for localhost. etcd's members are each other's clients too.</summary>
    public (string Certificate, string Key) Server(string subject) =>
        Issue(subject, [ServerUse, ClientUse], names => names.AddIpAddress(IPAddress.Loopback));

    public (string Certificate, string Key) Client(string subject) =>
        Issue(subject, [ClientUse], names => names.AddDnsName(subject));

    public void Dispose() => certificate.Dispose();

    private (string Certificate, string Key) Issue(
        string subject, string[] uses, Action<SubjectAlternativeNameBuilder> name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={subject}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([.. uses.Select(use => new Oid(use))], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        name(names);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(
            certificate, now.AddDays(-2), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        var paths = (Path.Combine(folder, $"{subject}.pem"), Path.Combine(folder, $"{subject}.key"));
        File.WriteAllText(paths.Item1, issued.ExportCertificatePem());
        File.WriteAllText(paths.Item2, key.ExportPkcs8PrivateKeyPem());
        return paths;
    }
}
