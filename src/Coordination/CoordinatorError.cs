using Grpc.Core;

namespace Hexcast.Coordination;

/// <summary>Everything the coordinator refuses, by name. The wire carries etcd's own codes and texts for
/// them.</summary>
public enum CoordinatorError
{
    None,
    EmptyKey,
    KeyNotFound,
    ValueProvided,
    LeaseProvided,
    TooManyOperations,
    DuplicateKey,
    Compacted,
    FutureRevision,
    NoSpace,
    LeaseNotFound,
    LeaseExists,
    LeaseTimeTooLarge,
    RequestTooLarge,
    TooManyRequests,
    TooManyLeases,
    PermissionDenied,
    Stopped,
    Unavailable,
    DeadlineExceeded,
    Other,
}

/// <summary>A call to the coordinator that did not do what was asked. <see cref="Error"/> says why.</summary>
public sealed class CoordinatorException(CoordinatorError error, string message, Exception? inner = null)
    : Exception(message, inner)
{
    public CoordinatorError Error { get; } = error;
}

/// <summary>The one table between names and gRPC statuses, read by the embedded server and by the client.</summary>
internal static class CoordinatorErrors
{
    // Texts as in etcd 3.4's rpctypes: clients compare them.
    private static readonly Dictionary<CoordinatorError, Status> ToStatus = new()
    {
        [CoordinatorError.EmptyKey] = new(StatusCode.InvalidArgument, "etcdserver: key is not provided"),
        [CoordinatorError.KeyNotFound] = new(StatusCode.InvalidArgument, "etcdserver: key not found"),
        [CoordinatorError.ValueProvided] = new(StatusCode.InvalidArgument, "etcdserver: value is provided"),
        [CoordinatorError.LeaseProvided] = new(StatusCode.InvalidArgument, "etcdserver: lease is provided"),
        [CoordinatorError.TooManyOperations] =
            new(StatusCode.InvalidArgument, "etcdserver: too many operations in txn request"),
        [CoordinatorError.DuplicateKey] =
            new(StatusCode.InvalidArgument, "etcdserver: duplicate key given in txn request"),
        [CoordinatorError.Compacted] =
            new(StatusCode.OutOfRange, "etcdserver: mvcc: required revision has been compacted"),
        [CoordinatorError.FutureRevision] =
            new(StatusCode.OutOfRange, "etcdserver: mvcc: required revision is a future revision"),
        [CoordinatorError.NoSpace] = new(StatusCode.ResourceExhausted, "etcdserver: mvcc: database space exceeded"),
        [CoordinatorError.LeaseNotFound] = new(StatusCode.NotFound, "etcdserver: requested lease not found"),
        [CoordinatorError.LeaseExists] = new(StatusCode.FailedPrecondition, "etcdserver: lease already exists"),
        [CoordinatorError.LeaseTimeTooLarge] = new(StatusCode.OutOfRange, "etcdserver: too large lease TTL"),
        [CoordinatorError.RequestTooLarge] = new(StatusCode.InvalidArgument, "etcdserver: request is too large"),
        [CoordinatorError.TooManyRequests] = new(StatusCode.ResourceExhausted, "etcdserver: too many requests"),
        [CoordinatorError.TooManyLeases] = new(StatusCode.ResourceExhausted, "etcdserver: too many leases"),
        [CoordinatorError.PermissionDenied] = new(StatusCode.PermissionDenied, "etcdserver: permission denied"),
        [CoordinatorError.Stopped] = new(StatusCode.Unavailable, "etcdserver: server stopped"),
    };

    private static readonly Dictionary<string, CoordinatorError> FromText =
        ToStatus.ToDictionary(pair => pair.Value.Detail, pair => pair.Key, StringComparer.Ordinal);

    public static Status StatusOf(CoordinatorError error) => ToStatus[error];

    public static CoordinatorException Translate(RpcException exception)
    {
        var status = exception.Status;
        if (!FromText.TryGetValue(status.Detail, out var error))
        {
            error = status.StatusCode switch
            {
                StatusCode.Unavailable => CoordinatorError.Unavailable,
                StatusCode.DeadlineExceeded => CoordinatorError.DeadlineExceeded,
                StatusCode.PermissionDenied => CoordinatorError.PermissionDenied,
                StatusCode.ResourceExhausted => CoordinatorError.RequestTooLarge,
                _ => CoordinatorError.Other,
            };
        }
        return new CoordinatorException(
            error, $"The coordinator answered {status.StatusCode}: {status.Detail}", exception);
    }
}
