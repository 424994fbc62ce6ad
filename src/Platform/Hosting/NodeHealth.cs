using Grpc.AspNetCore.Server;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Routing;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Hexcast.Platform.Hosting;

/// <summary>Whether the node is ready, as <c>/readyz</c> and gRPC's health service tell it.</summary>
internal sealed class NodeHealth
{
    private IReadOnlyList<string> services = [];
    private volatile bool ready;

    public bool IsReady => ready;

    /// <summary>Tells it over gRPC, of the node as a whole and of each of its services.</summary>
    public HealthServiceImpl Service { get; } = new();

    /// <summary>From now on each service that is mapped there is told of; none serves yet.</summary>
    public void Cover(IEndpointRouteBuilder grpc)
    {
        services = [.. grpc.DataSources.SelectMany(source => source.Endpoints)
            .Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.ServiceName)
            .OfType<string>().Distinct().Prepend("")];
        Announce(ServingStatus.NotServing);
    }

    public void Start()
    {
        ready = true;
        Announce(ServingStatus.Serving);
    }

    /// <summary>For good.</summary>
    public void Stop()
    {
        ready = false;
        Service.Shutdown();
    }

    private void Announce(ServingStatus status)
    {
        foreach (var service in services)
        {
            Service.SetStatus(service, status);
        }
    }
}
