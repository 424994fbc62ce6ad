using Grpc.Core;

namespace Hexcast.Platform.Hosting;

/// <summary>How a role reaches another one, wherever that one runs.</summary>
public interface IRoleRoutes
{
    /// <summary>
    /// Calls of the role's services. Where it runs is looked up at each call; a call ends with UNAVAILABLE while no
    /// node that runs it is known.
    /// </summary>
    /// <param name="role">As its module is named: "catalog", "master".</param>
    CallInvoker To(string role);

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
}
