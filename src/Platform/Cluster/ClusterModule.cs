using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Cluster;

/// <summary>Who this node is among others, and how it reaches them. Part of every node.</summary>
public sealed class ClusterModule : RoleModule
{
    private bool isNode;

    public override void AddServices(RoleBuilder role)
    {
        role.Services.AddSingleton(provider => new NodeChannels(
            provider.GetService<NodeCertificate>(), provider.GetRequiredService<TimeProvider>()));
        if (role.Node.Cluster is not { } identity)
        {
            return;
        }

        isNode = true;
        role.Services.AddSingleton(new RemovedNodes(identity));
        role.Services.AddSingleton(provider => new NodeCertificate(
            identity,
            provider.GetRequiredService<RemovedNodes>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<NodeCertificate>>()));
        role.Services.AddSingleton<NodeConnections>();
        role.Services.AddSingleton<Enrolling>();
        role.Services.AddHostedService<CertificateRenewal>();
        role.Services.AddGrpc().AddServiceOptions<EnrolmentService>(
            calls => calls.MaxReceiveMessageSize = EnrolmentService.MessageLimitBytes);
    }

    public override void MapGrpc(IEndpointRouteBuilder grpc)
    {
        if (isNode)
        {
            grpc.MapGrpcService<EnrolmentService>();
        }
    }
}
