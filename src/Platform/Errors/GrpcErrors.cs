using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Hexcast.Platform.Errors;

/// <summary>
/// Carries <see cref="HexcastException"/> over gRPC between roles: the server puts the code beside the status as a
/// trailer; the caller turns it back with <see cref="Unwrap"/>.
/// </summary>
public sealed class GrpcErrors : Interceptor
{
    private const string CodeTrailer = "hexcast-code";

    public static HexcastException Unwrap(RpcException failure) =>
        new(failure.Trailers.GetValue(CodeTrailer) ?? Name(failure.StatusCode), failure.Status.Detail, failure);

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

    private static RpcException Wrap(HexcastException failure) => new(
        new Status(ErrorCodes.GrpcStatus(failure.Code), failure.Message),
        new Metadata { { CodeTrailer, failure.Code } });

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
