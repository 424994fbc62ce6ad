using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Cluster;

/// <summary>
/// Keeps the node's certificate good: takes over what lies in its files, and asks for another one, for the same key,
/// from the middle of its life on, or when its address has changed. A node that signs does it itself; which others do
/// may have changed since this one joined, so all that are known are asked.
/// </summary>
internal sealed class CertificateRenewal(
    NodeCertificate own,
    Enrolling enrolling,
    NodeChannels channels,
    NodeSettings node,
    TimeProvider clock,
    ILogger<CertificateRenewal> log,
    IKnownNodes? known = null) : BackgroundService
{
    /// <summary>Nodes that are asked in one attempt.</summary>
    private const int AskedLimit = 256;

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan WarnBefore = TimeSpan.FromDays(14);
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(10);

    private ClusterIdentity identity = own.Identity;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var retryAt = clock.GetUtcNow();
        using var timer = new PeriodicTimer(LookInterval, clock);
        do
        {
            own.Look();
            if (IsDue(clock.GetUtcNow()) && clock.GetUtcNow() >= retryAt)
            {
                await RenewAsync(stoppingToken);
                retryAt = clock.GetUtcNow() + RetryInterval;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    internal bool IsDue(DateTimeOffset now)
    {
        var (from, until) = (own.Current.NotBefore.ToUniversalTime(), own.Current.NotAfter.ToUniversalTime());
        return now.UtcDateTime > from + ((until - from) / 2) || node.Address != identity.Address;
    }

    internal async Task RenewAsync(CancellationToken cancel)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(await File.ReadAllTextAsync(identity.KeyFile, cancel));
        var request = new RenewRequest
        {
            CertificateRequest = ByteString.CopyFrom(ClusterAuthority.RequestOf(key, identity.Node)),
            Address = node.Address,
        };
        try
        {
            var enrolled = identity.Signs
                ? enrolling.Renew(request, identity.Node) : await AskAsync(request, cancel);
            using var certificate = X509CertificateLoader.LoadCertificate(enrolled.Certificate.Span);
            ClusterFolder.WriteCertificate(identity.CertificateFile, certificate);
            identity = (identity with
            {
                Address = request.Address,
                Listen = node.Advertise is null ? null : node.Grpc.ToString(),
                Seeds = [.. enrolled.Seeds],
            }).In(identity.Folder);
            identity.Write();
            own.Look();
        }
        catch (Exception refused) when (refused
            is HexcastException or IOException or UnauthorizedAccessException or CryptographicException)
        {
            var left = own.Current.NotAfter.ToUniversalTime() - clock.GetUtcNow().UtcDateTime;
            log.Log(
                left < WarnBefore ? LogLevel.Error : LogLevel.Warning,
                "This node's certificate is not renewed, and ends in {Days} days: {Reason}",
                (int)left.TotalDays, refused.Message);
        }
    }

    // One after the other until one signs.
    private async Task<Enrolled> AskAsync(RenewRequest request, CancellationToken cancel)
    {
        HexcastException? last = null;
        var seeds = identity.Seeds.Concat(known?.Addresses ?? []).Distinct(StringComparer.Ordinal)
            .Where(seed => seed != identity.Address && seed != node.Address).Take(AskedLimit).ToList();
        foreach (var seed in seeds)
        {
            using var channel = channels.Open(seed);
            try
            {
                return await new Enrolment.EnrolmentClient(channel).RenewAsync(
                    request, deadline: clock.GetUtcNow().UtcDateTime + CallTime, cancellationToken: cancel);
            }
            catch (RpcException refused) when (!cancel.IsCancellationRequested)
            {
                last = GrpcErrors.Unwrap(refused);
            }
        }

        throw last ?? new HexcastException(ErrorCodes.Unavailable, "No other node is known.");
    }
}
