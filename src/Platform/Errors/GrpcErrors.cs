using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Hexcast.Platform.Errors;

/// <summary>
/// Carries <see cref="HexcastException"/> over gRPC between roles: the server puts the code into the status' details,
/// as the reason of an ErrorInfo; the caller turns it back with <see cref="Unwrap"/>.
/// </summary>
public sealed class GrpcErrors : Interceptor
{
    private const string Domain = "hexcast";

    /// <summary>Characters. The message travels twice, and peers refuse headers of more than 8 KiB.</summary>
    private const int MessageLimit = 1000;

    public static HexcastException Unwrap(RpcException failure) =>
        new(CodeOf(failure) ?? Name(failure.StatusCode), failure.Status.Detail, failure);

    /// <summary>Null: none of ours has ended the call.</summary>
    public static string? CodeOf(RpcException failure)
    {
        try
        {
            return failure.GetRpcStatus()?.GetDetail<ErrorInfo>() is { Domain: Domain, Reason: var code } ? code : null;
        }
        catch (InvalidProtocolBufferException)
        {
            // A peer's details are no reason to lose its status.
            return null;
        }
    }

    /// <summary>Ends a call with that code and with the details that the status has already.</summary>
    internal static RpcException Wrap(string code, Google.Rpc.Status status)
    {
        if (status.Message.Length > MessageLimit)
        {
            var end = char.IsHighSurrogate(status.Message[MessageLimit - 1]) ? MessageLimit - 1 : MessageLimit;
            status.Message = $"{status.Message[..end]}…";
        }

        status.Details.Insert(0, Any.Pack(new ErrorInfo { Reason = code, Domain = Domain }));
        return status.ToRpcException();
    }

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (HexcastException failure)
        {
            throw Wrap(failure);
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(requestStream, context);
        }
        catch (HexcastException failure)
        {
            throw Wrap(failure);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (HexcastException failure)
        {
            throw Wrap(failure);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(requestStream, responseStream, context);
        }
        catch (HexcastException failure)
        {
            throw Wrap(failure);
        }
    }

    private static RpcException Wrap(HexcastException failure) => Wrap(failure.Code, new Google.Rpc.Status
    {
        Code = (int)ErrorCodes.GrpcStatus(failure.Code),
        Message = failure.Message,
    });

    private static string Name(StatusCode status) => status switch
    {
        StatusCode.NotFound => ErrorCodes.NotFound,
        StatusCode.InvalidArgument => ErrorCodes.InvalidArgument,
        StatusCode.ResourceExhausted => ErrorCodes.ResourceExhausted,
        StatusCode.DeadlineExceeded => ErrorCodes.DeadlineExceeded,
        StatusCode.Unavailable => ErrorCodes.Unavailable,
        StatusCode.Aborted => ErrorCodes.Conflict,
        StatusCode.FailedPrecondition => ErrorCodes.PreconditionFailed,
        _ => ErrorCodes.Internal,
    };
}
