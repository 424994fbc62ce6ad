using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Tls;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Cluster;

/// <summary>
/// This node's certificate, for both ends of its connections, and whom it takes for a node of its cluster: who shows a
/// certificate of the cluster's CA that is in its time, names a node of this cluster, and was not removed.
/// </summary>
public sealed class NodeCertificate
{
    private const int FileLimitBytes = 64 * 1024;

    private static readonly TimeSpan ComplaintInterval = TimeSpan.FromSeconds(1);

    private static readonly Oid ServerUse = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientUse = new("1.3.6.1.5.5.7.3.2");

    private readonly TlsOptions files;
    private readonly X509Certificate2 authority;
    private readonly TimeProvider clock;
    private readonly ILogger<NodeCertificate> log;
    private CertificateFiles seen;
    private volatile CertificatePair current;
    private bool complained;
    private long lastComplaint;

    /// <exception cref="ConfigurationException">The files do not make an identity.</exception>
    internal NodeCertificate(
        ClusterIdentity identity, RemovedNodes removed, TimeProvider clock, ILogger<NodeCertificate> log)
    {
        (Identity, Removed, this.clock, this.log) = (identity, removed, clock, log);
        files = new TlsOptions { CertificateFile = identity.CertificateFile, KeyFile = identity.KeyFile };
        try
        {
            authority = X509CertificateLoader.LoadCertificate(
                ReadPem(identity.AuthorityFile).GetRawCertData());
            seen = CertificateFiles.Read(files);
            current = CertificatePair.Load(seen);
        }
        catch (Exception unusable) when (
            unusable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw Unusable(unusable.Message.TrimEnd('.'));
        }

        if (clock.GetUtcNow() > ClusterAuthority.EndOf(current.Certificate) && !identity.Signs)
        {
            throw new ConfigurationException([
                $"{identity.CertificateFile} has ended on {current.Certificate.NotAfter:yyyy-MM-dd}, before it was " +
                $"renewed. Remove {identity.Folder} and join the cluster again."]);
        }

        // Whether it is in its time is asked where it is shown: a node that signs renews its own first.
        if (NameOf(current.Certificate, ServerUse, current.Certificate.NotBefore.AddDays(1), out _) != identity.Node)
        {
            throw Unusable($"it is no certificate of the CA beside it for the node {identity.Node}");
        }
    }

    public ClusterIdentity Identity { get; }

    public RemovedNodes Removed { get; }

    public X509Certificate2 Current => current.Certificate;

    internal X509Certificate2 Authority => authority;

    /// <summary>What a handshake of somebody who comes begins with.</summary>
    /// <param name="strangers">Whether one without a certificate is let through, to the calls that it may make.</param>
    internal SslServerAuthenticationOptions Accept(bool strangers) => new()
    {
        ServerCertificateContext = current.Context,
        ApplicationProtocols = [SslApplicationProtocol.Http2],
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ClientCertificateRequired = true,
        // A resumed session would not show its certificate again, which may have been removed since.
        AllowTlsResume = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = (_, shown, _, _) =>
            shown is null ? strangers : IsNode(shown, ClientUse, expected: null, "comes"),
    };

    /// <summary>What a handshake with another node begins with.</summary>
    /// <param name="expected">Its name, where that is known.</param>
    internal SslClientAuthenticationOptions Reach(string? expected) => new()
    {
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowTlsResume = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        // Asked at each handshake, so that a renewed one is shown from then on.
        LocalCertificateSelectionCallback = (_, _, _, _, _) => current.Certificate,
        RemoteCertificateValidationCallback = (_, shown, _, _) =>
            shown is not null && IsNode(shown, ServerUse, expected, "is called"),
    };

    /// <summary>The node of a certificate that the handshake has checked; null: none of this cluster.</summary>
    internal string? NameOf(X509Certificate2 certificate) => NodeNames.Of(certificate, Identity.ClusterId);

    /// <summary>Takes the files over if they have changed and can be used.</summary>
    internal void Look()
    {
        try
        {
            var now = CertificateFiles.Read(files);
            if (now.Same(seen))
            {
                return;
            }

            current = CertificatePair.Load(now);
            (seen, complained) = (now, false);
            log.LogInformation("This node shows a new certificate, valid until {Until}", Current.NotAfter);
        }
        catch (Exception unusable) when (
            unusable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            if (!complained)
            {
                complained = true;
                log.LogError(
                    "The node's certificate has changed and cannot be used, so the one before stays: {Reason}",
                    unusable.Message);
            }
        }
    }

    private bool IsNode(X509Certificate shown, Oid use, string? expected, string doing)
    {
        var certificate = shown as X509Certificate2 ?? new X509Certificate2(shown);
        var name = NameOf(certificate, use, clock.GetUtcNow().UtcDateTime, out var why);
        why = name is null ? why
            : Removed.Contains(name) ? $"{name} was removed from the cluster"
            : expected is not null && name != expected ? $"it is {name}, not {expected}"
            : null;
        if (why is not null && MayComplain())
        {
            log.LogWarning("Who {Doing} is not taken for a node of this cluster: {Reason}", doing, why);
        }

        return why is null;
    }

    // Whoever knocks without end does not fill the log.
    private bool MayComplain()
    {
        var now = clock.GetTimestamp();
        var last = Interlocked.Read(ref lastComplaint);
        return (last == 0 || clock.GetElapsedTime(last, now) >= ComplaintInterval)
            && Interlocked.CompareExchange(ref lastComplaint, now, last) == last;
    }

    private string? NameOf(X509Certificate2 certificate, Oid use, DateTime at, out string? why)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        // Nothing is fetched from addresses that a stranger's certificate names.
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(use);
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.VerificationTime = at;
        if (!chain.Build(certificate))
        {
            why = string.Join(", ", chain.ChainStatus.Select(status => status.Status));
            return null;
        }

        var name = NameOf(certificate);
        why = name is null ? "its certificate names no node of this cluster" : null;
        return name;
    }

    private static X509Certificate2 ReadPem(string path) => X509Certificate2.CreateFromPem(
        System.Text.Encoding.UTF8.GetString(SmallFile.Read(path, FileLimitBytes)));

    private ConfigurationException Unusable(string why) => new([
        $"{Identity.CertificateFile}: {why}. Put {Identity.Folder} back from a copy, or make this a new node. " +
        ClusterIdentity.ToJoinAnew(Identity.Folder, Identity.Node)]);
}
