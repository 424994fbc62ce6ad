using Microsoft.AspNetCore.Routing;

namespace Hexcast.Platform.Hosting;

/// <summary>
/// A role: the only public type of its assembly. Hosted services start in the order of the modules' table and stop in
/// reverse; within a role, in the order of registration.
/// </summary>
public abstract class RoleModule
{
    private const string Ending = "Module";

    /// <summary>UploadModule is the role "upload".</summary>
    public string Name
    {
        get
        {
            var name = GetType().Name;
            return (name.EndsWith(Ending, StringComparison.Ordinal) ? name[..^Ending.Length] : name)
                .ToLowerInvariant();
        }
    }

    public abstract void AddServices(RoleBuilder role);

    /// <summary>What people, players and probes reach, on the HTTP listener.</summary>
    public virtual void MapHttp(IEndpointRouteBuilder http)
    {
    }

    /// <summary>What other roles reach, on the gRPC listener and in process.</summary>
    public virtual void MapGrpc(IEndpointRouteBuilder grpc)
    {
    }
}
