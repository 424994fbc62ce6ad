using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;

namespace Hexcast.Platform.Cluster;

/// <summary>
/// Asks for a place in a cluster:
/// <code>
///   1. TLS with whoever answers; its certificate is kept in mind     2. its CA's certificate
///   3. the CA's hash is the token's, and 1 is signed by that CA      4. secret, request of the key → certificate
/// </code>
/// so that the secret goes to nobody but a node of the cluster that the token is for.
/// </summary>
internal static class ClusterJoin
{
    private const int CertificateLimitBytes = 16 * 1024;

    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(10);

    /// <exception cref="HexcastException">It does not come in; the code says why.</exception>
    public static async Task<ClusterIdentity> RunAsync(
        string dataFolder, JoinToken token, string node, string address, string? listen, TimeProvider clock,
        CancellationToken cancel)
    {
        using var key = ClusterFolder.KeyForJoining(dataFolder);
        var request = new JoinRequest
        {
            TokenId = token.Id,
            TokenSecret = ByteString.CopyFrom(token.Secret),
            CertificateRequest = ByteString.CopyFrom(ClusterAuthority.RequestOf(key, node)),
            Node = node,
            Address = address,
        };
        var unreached = new List<string>();
        foreach (var seed in token.Addresses)
        {
            try
            {
                using var server = new PinnedServer(seed, token.Authority, clock);
                var enrolled = await server.JoinAsync(request, cancel);
                return Keep(dataFolder, key, enrolled, server.Authority!, new(
                    enrolled.ClusterId, node, address, [.. enrolled.Seeds.Take(ClusterIdentity.SeedLimit)])
                {
                    Listen = listen,
                });
            }
            catch (RpcException failed) when (
                failed.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
            {
                cancel.ThrowIfCancellationRequested();
                unreached.Add($"{seed}: {failed.Status.Detail.TrimEnd('.')}");
            }
            catch (RpcException refused)
            {
                cancel.ThrowIfCancellationRequested();
                throw refused.StatusCode == StatusCode.Unimplemented
                    ? NotThatCluster(seed, "it lets nobody in") : GrpcErrors.Unwrap(refused);
            }
        }

        throw new HexcastException(
            ErrorCodes.Unavailable,
            $"No node that lets in answers ({string.Join("; ", unreached)}). Is it running, with its --grpc there?");
    }

    private static ClusterIdentity Keep(
        string dataFolder, ECDsa key, Enrolled enrolled, X509Certificate2 authority, ClusterIdentity identity)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(enrolled.Certificate.Span);
        using var shown = certificate.GetECDsaPublicKey();
        return NodeNames.Of(certificate, identity.ClusterId) == identity.Node
            && shown?.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()) == true
            ? ClusterFolder.Joined(dataFolder, identity, certificate, authority)
            : throw new HexcastException(ErrorCodes.Internal, "The certificate that came is not for this node's key.");
    }

    private static HexcastException NotThatCluster(string address, string why) => new(
        ErrorCodes.Unauthenticated,
        $"{address} is not of the cluster that the token is for: {why}. Nothing was sent to it.");

    /// <summary>A server that is believed once it has shown that it belongs to the CA with that hash.</summary>
    private sealed class PinnedServer : IDisposable
    {
        private readonly string address;
        private readonly string pin;
        private readonly TimeProvider clock;
        private readonly GrpcChannel channel;
        private readonly Lock turn = new();
        private readonly List<byte[]> unproven = [];

        public PinnedServer(string address, string pin, TimeProvider clock)
        {
            (this.address, this.pin, this.clock) = (address, pin, clock);
            channel = GrpcChannel.ForAddress($"https://{address}", new GrpcChannelOptions
            {
                HttpHandler = new SocketsHttpHandler
                {
                    ConnectTimeout = CallTime,
                    UseProxy = false,
                    SslOptions = new SslClientAuthenticationOptions
                    {
                        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                        RemoteCertificateValidationCallback = (_, shown, _, _) => Look(shown),
                    },
                },
                DisposeHttpClient = true,
                TimeProvider = clock,
            });
        }

        public X509Certificate2? Authority { get; private set; }

        public async Task<Enrolled> JoinAsync(JoinRequest request, CancellationToken cancel)
        {
            var client = new Enrolment.EnrolmentClient(channel);
            var answer = await client.GetAuthorityAsync(
                new GetAuthorityRequest(), deadline: Deadline(), cancellationToken: cancel);
            Prove(answer.Certificate);
            return await client.JoinAsync(request, deadline: Deadline(), cancellationToken: cancel);
        }

        public void Dispose() => channel.Dispose();

        private DateTime Deadline() => clock.GetUtcNow().UtcDateTime + CallTime;

        // Before the CA is known a certificate is only remembered: nothing that matters is sent.
        private bool Look(X509Certificate? shown)
        {
            lock (turn)
            {
                if (shown is null || Authority is not null)
                {
                    return shown is not null && IsSigned(shown.GetRawCertData());
                }

                unproven.Add(shown.GetRawCertData());
                return true;
            }
        }

        private void Prove(ByteString authority)
        {
            lock (turn)
            {
                if (authority.Length > CertificateLimitBytes
                    || !CryptographicOperations.FixedTimeEquals(
                        SHA256.HashData(authority.Span), Convert.FromHexString(pin)))
                {
                    throw NotThatCluster(address, "it shows another CA");
                }

                Authority = X509CertificateLoader.LoadCertificate(authority.Span);
                if (!unproven.All(IsSigned))
                {
                    throw NotThatCluster(address, "its certificate is not of the CA that it shows");
                }
            }
        }

        private bool IsSigned(byte[] raw)
        {
            using var certificate = X509CertificateLoader.LoadCertificate(raw);
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(Authority!);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            // The node's clock and this one may differ; the other end's time is looked at once this is a node.
            chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
            return chain.Build(certificate);
        }
    }
}
