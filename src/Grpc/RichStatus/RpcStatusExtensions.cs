using Google.Protobuf;

namespace Grpc.Core;

/// <summary>
/// Errors with details: a <see cref="Google.Rpc.Status"/> travels in the trailer <c>grpc-status-details-bin</c>, beside
/// the status that every peer understands.
/// </summary>
public static class RpcStatusExtensions
{
    /// <summary>The trailer that carries a serialized <see cref="Google.Rpc.Status"/>.</summary>
    public const string StatusDetailsTrailerName = "grpc-status-details-bin";

    /// <summary>What the peer said in full; null where it sent no details, or others than of this status.</summary>
    /// <param name="ex">What a call ended with.</param>
    /// <param name="ignoreParseError">Null rather than an exception where the trailer is no status.</param>
    /// <exception cref="InvalidProtocolBufferException">The trailer is no status.</exception>
    public static Google.Rpc.Status? GetRpcStatus(this RpcException ex, bool ignoreParseError = false)
    {
        ArgumentNullException.ThrowIfNull(ex);
        return ex.Trailers.GetRpcStatus(ignoreParseError);
    }

    /// <inheritdoc cref="GetRpcStatus(RpcException, bool)"/>
    public static Google.Rpc.Status? GetRpcStatus(this Metadata metadata, bool ignoreParseError = false)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (metadata.Get(StatusDetailsTrailerName) is not { } entry)
            return null;
        try
        {
            return Google.Rpc.Status.Parser.ParseFrom(entry.ValueBytes);
        }
        catch (InvalidProtocolBufferException) when (ignoreParseError)
        {
            return null;
        }
    }

    /// <summary>Puts the status beside what is there, in place of one that was set before.</summary>
    public static void SetRpcStatus(this Metadata metadata, Google.Rpc.Status status)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        foreach (var old in metadata.GetAll(StatusDetailsTrailerName).ToList())
            metadata.Remove(old);
        metadata.Add(StatusDetailsTrailerName, status.ToByteArray());
    }

    /// <summary>What a service throws to end its call with this status and its details.</summary>
    public static RpcException ToRpcException(this Google.Rpc.Status status)
    {
        ArgumentNullException.ThrowIfNull(status);
        var trailers = new Metadata();
        trailers.SetRpcStatus(status);
        return new RpcException(new Status((StatusCode)status.Code, status.Message), trailers);
    }

    /// <summary>The first detail of that type, or null.</summary>
    /// <exception cref="InvalidProtocolBufferException">A detail of that type is damaged.</exception>
    public static T? GetDetail<T>(this Google.Rpc.Status status)
        where T : class, IMessage<T>, new()
    {
        ArgumentNullException.ThrowIfNull(status);
        return status.Details.Select(detail => detail.TryUnpack<T>(out var message) ? message : null)
            .FirstOrDefault(message => message is not null);
    }
}
