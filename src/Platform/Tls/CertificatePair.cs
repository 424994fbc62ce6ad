using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Hexcast.Platform.Tls;

/// <summary>The two files as they were read at one moment.</summary>
internal sealed record CertificateFiles(byte[] Certificates, byte[] Key)
{
    private const int LimitBytes = 1 << 20;

    /// <exception cref="IOException">One cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may it be.</exception>
    public static CertificateFiles Read(TlsOptions options) =>
        new(ReadFile(options.CertificateFile), ReadFile(options.KeyFile));

    public bool Same(CertificateFiles? other) => other is not null
        && Certificates.AsSpan().SequenceEqual(other.Certificates) && Key.AsSpan().SequenceEqual(other.Key);

    // Never as a default record would print it: one of the two is a private key.
    public override string ToString() => nameof(CertificateFiles);

    private static byte[] ReadFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length > LimitBytes)
        {
            throw new IOException($"{path} is larger than {LimitBytes} bytes");
        }

        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}

/// <summary>A certificate with its key, ready for handshakes.</summary>
internal sealed class CertificatePair
{
    private CertificatePair(X509Certificate2 certificate, SslStreamCertificateContext context)
    {
        Certificate = certificate;
        Context = context;
    }

    public X509Certificate2 Certificate { get; }

    public SslStreamCertificateContext Context { get; }

    /// <exception cref="CryptographicException">They are no PEM, or do not belong together.</exception>
    public static CertificatePair Load(CertificateFiles files)
    {
        var certificates = Encoding.UTF8.GetString(files.Certificates);
        try
        {
            var own = X509Certificate2.CreateFromPem(certificates, Encoding.UTF8.GetString(files.Key));
            var all = new X509Certificate2Collection();
            all.ImportFromPem(certificates);
            // Offline: what is sent is what the file holds, and nothing is fetched from addresses that it names.
            return new CertificatePair(own, SslStreamCertificateContext.Create(own, all, offline: true));
        }
        catch (ArgumentException mismatch)
        {
            throw new CryptographicException("the key is not the certificate's", mismatch);
        }
    }
}
