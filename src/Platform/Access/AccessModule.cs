using Hexcast.Platform.Hosting;

namespace Hexcast.Platform.Access;

/// <summary>How a node may be reached. Part of every node; who knows credentials is the role of that name.</summary>
public sealed class AccessModule : RoleModule
{
    public override void AddServices(RoleBuilder role) => role.AddOptions<AccessOptions>("Access");
}
