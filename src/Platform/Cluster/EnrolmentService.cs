using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Cluster;

/// <summary>
/// Lets nodes into the cluster. Anybody who reaches the port can call it: the secret is looked at first, and little is
/// done before.
/// </summary>
internal sealed class EnrolmentService(Enrolling enrolling) : Enrolment.EnrolmentBase
{
    /// <summary>A request for a certificate has a few hundred bytes.</summary>
    public const int MessageLimitBytes = 16 * 1024;

    private static readonly string[] ForStrangers =
        [$"/{Enrolment.Descriptor.FullName}/GetAuthority", $"/{Enrolment.Descriptor.FullName}/Join"];

    public static bool IsForStrangers(PathString path) => ForStrangers.Contains(path.Value, StringComparer.Ordinal);

    public override Task<GetAuthorityResponse> GetAuthority(GetAuthorityRequest request, ServerCallContext context) =>
        Task.FromResult(enrolling.Authority());

    public override Task<Enrolled> Join(JoinRequest request, ServerCallContext context) =>
        Task.FromResult(enrolling.Join(
            request, AttemptLimiter.Source(context.GetHttpContext().Connection.RemoteIpAddress)));

    public override Task<Enrolled> Renew(RenewRequest request, ServerCallContext context) =>
        Task.FromResult(enrolling.Renew(
            request, context.GetHttpContext().Features.Get<ConnectedPeer>()?.Node
                ?? throw new HexcastException(ErrorCodes.Unauthenticated, "Only a node renews its certificate.")));
}

/// <summary>What decides it, one at a time.</summary>
internal sealed class Enrolling(NodeCertificate own, NodeSettings here, TimeProvider clock, ILogger<Enrolling> log)
{
    private static readonly AttemptLimits Attempts = new()
    {
        Burst = 20,
        RefillInterval = TimeSpan.FromSeconds(3),
        OverallBurst = 200,
        OverallRefillInterval = TimeSpan.FromMilliseconds(100),
    };

    private readonly Lock turn = new();
    private readonly AttemptLimiter limiter = new(Attempts);
    private readonly JoinTokens tokens = new(own.Identity.TokensFolder);
    private readonly GivenNames names = new(own.Identity.NodesFolder);

    public GetAuthorityResponse Authority()
    {
        RequireSigner();
        return new GetAuthorityResponse { Certificate = ByteString.CopyFrom(own.Authority.RawData) };
    }

    /// <param name="source">Whose attempt it counts as.</param>
    public Enrolled Join(JoinRequest request, string source)
    {
        RequireSigner();
        var now = clock.GetUtcNow();
        if (!limiter.TryTake(source, now))
        {
            throw new HexcastException(
                ErrorCodes.TooManyAttempts,
                $"Too many attempts to join. Try again in {limiter.Wait(source, now).TotalSeconds:0.#} s.");
        }

        lock (turn)
        {
            var key = ClusterAuthority.KeyOf(request.CertificateRequest.Span);
            var by = new TokenUse(request.Node, key is null ? "" : ClusterAuthority.Fingerprint(key));
            var token = tokens.Require(request.TokenId, request.TokenSecret.Span, by, now);
            if (key is null || !NodeSettings.IsName(request.Node) || !JoinToken.IsAddress(request.Address))
            {
                throw new HexcastException(
                    ErrorCodes.InvalidArgument,
                    "A node's name, its address as host:port and a signed request for a P-256 key are wanted.");
            }

            if (own.Removed.Contains(request.Node))
            {
                throw new HexcastException(
                    ErrorCodes.NodeRemoved,
                    $"{request.Node} was removed from the cluster. Choose another --node.");
            }

            names.RequireFree(request.Node, by.Key, now);
            tokens.NoteUse(token, by);
            log.LogInformation(
                "{Node} joins the cluster from {Source}, to be reached at {Address}",
                request.Node, source, request.Address);
            return Issue(key, request.Node, request.Address, now);
        }
    }

    /// <param name="node">As its connection has proven.</param>
    public Enrolled Renew(RenewRequest request, string node)
    {
        RequireSigner();
        if (ClusterAuthority.KeyOf(request.CertificateRequest.Span) is not { } key
            || !JoinToken.IsAddress(request.Address))
        {
            throw new HexcastException(
                ErrorCodes.InvalidArgument, "An address as host:port and a signed request for a P-256 key are wanted.");
        }

        lock (turn)
        {
            return Issue(key, node, request.Address, clock.GetUtcNow());
        }
    }

    private Enrolled Issue(PublicKey key, string node, string address, DateTimeOffset now)
    {
        using var authority = ClusterAuthority.Load(own.Identity);
        using var certificate = authority.Issue(key, own.Identity.ClusterId, node, address, now);
        names.Give(new GivenName(
            node, ClusterAuthority.Fingerprint(key), address, ClusterAuthority.EndOf(certificate)));
        var enrolled = new Enrolled
        {
            Certificate = ByteString.CopyFrom(certificate.RawData),
            ClusterId = own.Identity.ClusterId,
        };
        enrolled.Seeds.AddRange(names.All(now)
            .Where(given => !own.Removed.Contains(given.Node))
            .Select(given => given.Address).Prepend(here.Address)
            .Distinct(StringComparer.Ordinal).Take(ClusterIdentity.SeedLimit));
        return enrolled;
    }

    private void RequireSigner()
    {
        if (!own.Identity.Signs)
        {
            throw new HexcastException(
                ErrorCodes.PreconditionFailed,
                $"{own.Identity.Node} does not hold the cluster's key. Ask a node that has ca.key.");
        }
    }
}
