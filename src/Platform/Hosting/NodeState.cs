using Grpc.AspNetCore.Server;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Hexcast.Platform.Hosting;

/// <summary>What the pipelines and the node both look at.</summary>
internal sealed class NodeState
{
    private HealthServiceImpl? health;
    private IReadOnlyList<string> services = [];
    private volatile bool ready;

    public List<Func<IServiceProvider, IHostedService>> RoleServices { get; } = [];

    public bool Ready => ready;

    /// <summary>The node and each of its gRPC services will be told healthy as long as the node is ready.</summary>
    public void Tell(HealthServiceImpl teller, IEndpointRouteBuilder grpc)
    {
        health = teller;
        services = [.. grpc.DataSources.SelectMany(source => source.Endpoints)
            .Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.ServiceName)
            .OfType<string>().Distinct().Prepend("")];
        Tell(ServingStatus.NotServing);
    }

    public void Start()
    {
        ready = true;
        Tell(ServingStatus.Serving);
    }

    /// <summary>For good.</summary>
    public void Stop()
    {
        ready = false;
        health?.Shutdown();
    }

    private void Tell(ServingStatus status)
    {
        foreach (var service in services)
        {
            health?.SetStatus(service, status);
        }
    }
}
