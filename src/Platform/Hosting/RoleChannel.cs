using Grpc.Core;
using Grpc.Core.Interceptors;
using Hexcast.Platform.Telemetry;

namespace Hexcast.Platform.Hosting;

/// <summary>
/// How a role calls the others: in one process Kestrel's in-memory transport, the same bytes as over a socket.
/// </summary>
public sealed class RoleChannel(ChannelBase channel, TimeProvider clock)
{
    public CallInvoker Invoker { get; } = channel.Intercept(new GrpcTelemetry(clock));
}
