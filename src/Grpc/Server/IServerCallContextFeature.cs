using Grpc.Core;

namespace Grpc.AspNetCore.Server.Features;

/// <summary>Leads from a request to the call that it is, as one of its features.</summary>
public interface IServerCallContextFeature
{
    ServerCallContext ServerCallContext { get; }
}
