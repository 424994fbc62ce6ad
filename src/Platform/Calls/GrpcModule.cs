using Grpc.AspNetCore.Server;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.Calls;

/// <summary>The gRPC port's limits, and reflection for tools. Part of every node.</summary>
public sealed class GrpcModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        var options = role.AddOptions<GrpcOptions>("Grpc");
        role.Services.AddSingleton(new ConnectionAgeOptions
        {
            MaxAge = options.MaxConnectionAge,
            Grace = options.MaxConnectionAgeGrace,
        });
        role.Services.AddSingleton<CallGates>();
    }

    public override void MapGrpc(IEndpointRouteBuilder grpc) => grpc.MapGrpcReflectionService();
}
