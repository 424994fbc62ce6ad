namespace Grpc.Core;

/// <summary>How a channel stands to its servers. Numbers are those of gRPC's own enumeration.</summary>
public enum ConnectivityState
{
    /// <summary>Not connected; the next call connects.</summary>
    Idle = 0,
    Connecting = 1,
    Ready = 2,

    /// <summary>Could not connect, and waits before it tries again.</summary>
    TransientFailure = 3,
    Shutdown = 4,
}
