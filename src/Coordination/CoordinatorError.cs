using Grpc.Core;
using Hexcast.Platform.Errors;

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

    /// <summary>Of a user or a password that etcd does not know.</summary>
    WrongPassword,

    /// <summary>etcd wants to know who asks, and has been told neither a user nor a certificate's.</summary>
    UserMissing,

    /// <summary>The token has ended, or the member that gave it has started anew: a new one is asked for.</summary>
    InvalidToken,

    /// <summary>Users or roles were changed since the token was given.</summary>
    TokenOutdated,

    /// <summary>etcd knows no users: a user and password say nothing to it.</summary>
    AuthenticationOff,

    /// <summary>The member's certificate is not of the authority that is trusted, not for its name, or not valid
    /// now.</summary>
    ServerNotTrusted,

    /// <summary>The member wants a client's certificate, and none was given or not one that it takes.</summary>
    CertificateRefused,

    /// <summary>etcd has found that its members hold different things, and takes no writes until somebody has put it
    /// right.</summary>
    MembersDisagree,

    Stopped,
    NoLeader,
    LeaderLost,
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
        [CoordinatorError.WrongPassword] = new(
            StatusCode.InvalidArgument, "etcdserver: authentication failed, invalid user ID or password"),
        [CoordinatorError.UserMissing] = new(StatusCode.InvalidArgument, "etcdserver: user name is empty"),
        [CoordinatorError.InvalidToken] = new(StatusCode.Unauthenticated, "etcdserver: invalid auth token"),
        [CoordinatorError.TokenOutdated] =
            new(StatusCode.InvalidArgument, "etcdserver: revision of auth store is old"),
        [CoordinatorError.AuthenticationOff] =
            new(StatusCode.FailedPrecondition, "etcdserver: authentication is not enabled"),
        [CoordinatorError.MembersDisagree] = new(StatusCode.DataLoss, "etcdserver: corrupt cluster"),
        [CoordinatorError.Stopped] = new(StatusCode.Unavailable, "etcdserver: server stopped"),
        [CoordinatorError.NoLeader] = new(StatusCode.Unavailable, "etcdserver: no leader"),
        [CoordinatorError.LeaderLost] = new(
            StatusCode.Unavailable, "etcdserver: request timed out, possibly due to previous leader failure"),
    };

    private static readonly Dictionary<string, CoordinatorError> FromText =
        ToStatus.ToDictionary(pair => pair.Value.Detail, pair => pair.Key, StringComparer.Ordinal);

    public static Status StatusOf(CoordinatorError error) => ToStatus[error];

    /// <summary>
    /// Whether it is about who may do what. A node refuses to start with it; one that runs goes on trying, until
    /// somebody has put it right.
    /// </summary>
    public static bool IsOfAccess(CoordinatorError error) => error is CoordinatorError.PermissionDenied
        or CoordinatorError.WrongPassword
        or CoordinatorError.UserMissing or CoordinatorError.InvalidToken or CoordinatorError.TokenOutdated
        or CoordinatorError.ServerNotTrusted or CoordinatorError.CertificateRefused;

    /// <summary>As a call's failure, which <see cref="Translate"/> turns back into the same.</summary>
    public static RpcException AsCall(CoordinatorException named) =>
        new(new Status(StatusCode.Unavailable, named.Message, named));

    public static CoordinatorException Translate(RpcException exception)
    {
        var status = exception.Status;
        if (status.DebugException is CoordinatorException named)
        {
            return new CoordinatorException(named.Error, named.Message, exception);
        }
        return new CoordinatorException(
            NameOf(exception),
            status.Detail == ToStatus[CoordinatorError.NoLeader].Detail
                ? $"No majority of the coordinator's members answers ({status.Detail})."
                : $"The coordinator answered {status.StatusCode}: {status.Detail}",
            exception);
    }

    /// <summary>By the words of etcd, or else by the status.</summary>
    public static CoordinatorError NameOf(RpcException refusal)
    {
        var status = refusal.Status;
        if (FromText.TryGetValue(status.Detail, out var error)
            && error is not (CoordinatorError.NoLeader or CoordinatorError.LeaderLost))
        {
            return error;
        }
        return status.StatusCode switch
        {
            StatusCode.Unavailable => CoordinatorError.Unavailable,
            StatusCode.DeadlineExceeded => CoordinatorError.DeadlineExceeded,
            StatusCode.PermissionDenied => CoordinatorError.PermissionDenied,
            // A gate that lets no more calls in says so by its code. Whoever else says it, on either side and in etcd,
            // means a message that is more than one of the two takes.
            StatusCode.ResourceExhausted => GrpcErrors.CodeOf(refusal) == ErrorCodes.ResourceExhausted
                ? CoordinatorError.TooManyRequests
                : CoordinatorError.RequestTooLarge,
            _ => CoordinatorError.Other,
        };
    }
}
