using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hexcast.Platform.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Tls;

/// <summary>
/// The certificate that new connections get. The files are looked at every few seconds: by content, so that a link that
/// is turned round (as Kubernetes does) counts too. A pair that cannot be used leaves the one before in its place.
/// </summary>
public sealed class ServerCertificate : BackgroundService
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WarnInterval = TimeSpan.FromDays(1);
    private static readonly TimeSpan WarnBefore = TimeSpan.FromDays(14);

    private readonly TlsOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger<ServerCertificate> log;
    private volatile CertificatePair current;
    private CertificateFiles seen;
    private bool complained;

    /// <exception cref="ConfigurationException">The pair cannot be used.</exception>
    public ServerCertificate(TlsOptions options, TimeProvider clock, ILogger<ServerCertificate> log)
    {
        this.options = options;
        this.clock = clock;
        this.log = log;
        (seen, current) = Load(options);
    }

    public X509Certificate2 Current => current.Certificate;

    /// <summary>What a handshake begins with.</summary>
    public SslServerAuthenticationOptions Handshake() => new()
    {
        ServerCertificateContext = current.Context,
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
    };

    /// <summary>For whoever only wants to know whether they can be used.</summary>
    /// <exception cref="ConfigurationException">They cannot.</exception>
    internal static void Check(TlsOptions options) => Load(options);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var warnedAt = DateTimeOffset.MinValue;
        using var timer = new PeriodicTimer(LookInterval, clock);
        do
        {
            Look();
            if (clock.GetUtcNow() - warnedAt >= WarnInterval)
            {
                WarnOfExpiry();
                warnedAt = clock.GetUtcNow();
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Takes the files over if they have changed and can be used.</summary>
    internal void Look()
    {
        try
        {
            var files = CertificateFiles.Read(options);
            if (files.Same(seen))
            {
                return;
            }

            current = CertificatePair.Load(files);
            (seen, complained) = (files, false);
            log.LogInformation(
                "New connections get the certificate {Subject}, valid until {Until}",
                Current.Subject,
                Current.NotAfter);
        }
        catch (Exception unusable) when (
            unusable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // Two files cannot be replaced at once: what does not fit together now may do so at the next look.
            if (complained)
            {
                return;
            }

            complained = true;
            log.LogError(
                "The certificate's files have changed and cannot be used, so the one before stays: {Reason}",
                unusable.Message);
        }
    }

    private void WarnOfExpiry()
    {
        var left = Current.NotAfter.ToUniversalTime() - clock.GetUtcNow().UtcDateTime;
        if (left <= TimeSpan.Zero)
        {
            log.LogError("The certificate {Subject} has expired on {Until}", Current.Subject, Current.NotAfter);
        }
        else if (left < WarnBefore)
        {
            log.LogWarning(
                "The certificate {Subject} expires in {Days} days, on {Until}",
                Current.Subject, (int)left.TotalDays, Current.NotAfter);
        }
    }

    private static (CertificateFiles Files, CertificatePair Pair) Load(TlsOptions options)
    {
        try
        {
            var files = CertificateFiles.Read(options);
            return (files, CertificatePair.Load(files));
        }
        catch (Exception unusable) when (
            unusable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ConfigurationException([
                $"Tls:CertificateFile = '{options.CertificateFile}', Tls:KeyFile = '{options.KeyFile}': " +
                $"{unusable.Message.TrimEnd('.')}. They must be PEM: the certificate and its chain, and its key."]);
        }
    }
}
