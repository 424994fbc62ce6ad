namespace Microsoft.Extensions.DependencyInjection;

public static class GrpcReflectionServiceExtensions
{
    /// <summary>For hosts that were written for Grpc.AspNetCore.Server.Reflection: here AddGrpc brings what it needs.
    /// </summary>
    public static IServiceCollection AddGrpcReflection(this IServiceCollection services)
    {
        services.AddGrpc();
        return services;
    }
}
