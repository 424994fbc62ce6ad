using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Cluster;

/// <summary>Who calls, by the certificate of the connection.</summary>
public static class CallingNode
{
    /// <summary>The node's name; null: there are no certificates here, or it is a call within this process.</summary>
    public static string? Of(HttpContext context) => context.Features.Get<ConnectedPeer>()?.Node;
}
