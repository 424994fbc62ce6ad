using Grpc.Core;

namespace Hexcast.Platform.Hosting;

/// <summary>
/// How a role calls the others: in one process Kestrel's in-memory transport, the same bytes as over a socket.
/// </summary>
public sealed class RoleChannel(ChannelBase channel)
{
    public CallInvoker Invoker { get; } = channel.CreateCallInvoker();
}
