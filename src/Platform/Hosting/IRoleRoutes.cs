using Grpc.Core;

namespace Hexcast.Platform.Hosting;

/// <param name="Address">host:port of its port for nodes.</param>
public sealed record RolePlace(string Node, string Address);

/// <summary>How a role reaches another one, wherever that one runs.</summary>
public interface IRoleRoutes
{
    /// <summary>
    /// Calls of the role's services. Where it runs is looked up at each call; a call ends with UNAVAILABLE while no
    /// node that runs it is known.
    /// </summary>
    /// <param name="role">As its module is named: "catalog", "master".</param>
    CallInvoker To(string role);

    /// <summary>One node that runs the role now; null: none is known, or nodes do not find each other.</summary>
    RolePlace? PlaceOf(string role);

    /// <summary>
    /// Completes when a role may be elsewhere than when this was read: whoever waits to try again, tries at once.
    /// </summary>
    Task Moved { get; }
}

/// <summary>All roles are in this process.</summary>
internal sealed class OneProcessRoutes(RoleChannel channel) : IRoleRoutes
{
    private readonly TaskCompletionSource never = new();

    public Task Moved => never.Task;

    public CallInvoker To(string role) => channel.Invoker;

    public RolePlace? PlaceOf(string role) => null;
}
