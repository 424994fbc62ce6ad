using Grpc.Core;

namespace Hexcast.Platform.Errors;

/// <summary>The one table of error codes: what each is over HTTP (RFC 9457 problem details) and over gRPC.</summary>
public static class ErrorCodes
{
    public const string InvalidArgument = "invalid_argument";
    public const string NotFound = "not_found";
    public const string Conflict = "conflict";
    public const string PreconditionFailed = "precondition_failed";
    public const string TooLarge = "too_large";
    public const string UnsupportedMediaType = "unsupported_media_type";
    public const string ResourceExhausted = "resource_exhausted";
    public const string StorageFull = "storage_full";
    public const string Unavailable = "unavailable";
    public const string AuditUnavailable = "audit_unavailable";
    public const string DeadlineExceeded = "deadline_exceeded";
    public const string Internal = "internal";
    public const string Cancelled = "cancelled";
    public const string JobLost = "job_lost";
    public const string VersionInconsistent = "version_inconsistent";
    public const string UnknownPreset = "unknown_preset";
    public const string UploadOffsetMismatch = "upload_offset_mismatch";
    public const string UploadChecksumMismatch = "upload_checksum_mismatch";
    public const string UploadGone = "upload_gone";
    public const string Unauthenticated = "unauthenticated";
    public const string CredentialInvalid = "credential_invalid";
    public const string CredentialExpired = "credential_expired";
    public const string ScopeMissing = "scope_missing";
    public const string CrossSite = "cross_site";
    public const string ProxyRequired = "proxy_required";
    public const string TooManyAttempts = "too_many_attempts";
    public const string TokenMissing = "token_missing";
    public const string TokenInvalid = "token_invalid";
    public const string TokenExpired = "token_expired";
    public const string JoinTokenInvalid = "join_token_invalid";
    public const string JoinTokenExpired = "join_token_expired";
    public const string JoinTokenUsed = "join_token_used";
    public const string NodeNameTaken = "node_name_taken";
    public const string NodeRemoved = "node_removed";
    public const string NotPlayable = "not_playable";
    public const string SandboxUnavailable = "sandbox_unavailable";
    public const string ToolMissing = "tool_missing";

    private static readonly Dictionary<string, (int Http, StatusCode Grpc)> Table = new(StringComparer.Ordinal)
    {
        [InvalidArgument] = (400, StatusCode.InvalidArgument),
        [NotFound] = (404, StatusCode.NotFound),
        [Conflict] = (409, StatusCode.Aborted),
        [PreconditionFailed] = (412, StatusCode.FailedPrecondition),
        [TooLarge] = (413, StatusCode.OutOfRange),
        [UnsupportedMediaType] = (415, StatusCode.InvalidArgument),
        [ResourceExhausted] = (429, StatusCode.ResourceExhausted),
        [StorageFull] = (507, StatusCode.ResourceExhausted),
        [Unavailable] = (503, StatusCode.Unavailable),
        [AuditUnavailable] = (503, StatusCode.Unavailable),
        [DeadlineExceeded] = (504, StatusCode.DeadlineExceeded),
        [Internal] = (500, StatusCode.Internal),
        [Cancelled] = (409, StatusCode.Aborted),
        [JobLost] = (409, StatusCode.FailedPrecondition),
        [VersionInconsistent] = (500, StatusCode.DataLoss),
        [UnknownPreset] = (400, StatusCode.InvalidArgument),
        [UploadOffsetMismatch] = (409, StatusCode.Aborted),
        // tus 1.0, checksum extension.
        [UploadChecksumMismatch] = (460, StatusCode.DataLoss),
        [UploadGone] = (410, StatusCode.NotFound),
        [Unauthenticated] = (401, StatusCode.Unauthenticated),
        [CredentialInvalid] = (401, StatusCode.Unauthenticated),
        [CredentialExpired] = (401, StatusCode.Unauthenticated),
        [ScopeMissing] = (403, StatusCode.PermissionDenied),
        [CrossSite] = (403, StatusCode.PermissionDenied),
        [ProxyRequired] = (403, StatusCode.PermissionDenied),
        [TooManyAttempts] = (429, StatusCode.ResourceExhausted),
        [TokenMissing] = (401, StatusCode.Unauthenticated),
        [TokenInvalid] = (403, StatusCode.PermissionDenied),
        [TokenExpired] = (403, StatusCode.PermissionDenied),
        [JoinTokenInvalid] = (403, StatusCode.PermissionDenied),
        [JoinTokenExpired] = (403, StatusCode.PermissionDenied),
        [JoinTokenUsed] = (403, StatusCode.PermissionDenied),
        [NodeNameTaken] = (409, StatusCode.Aborted),
        [NodeRemoved] = (403, StatusCode.PermissionDenied),
        [NotPlayable] = (404, StatusCode.NotFound),
        [SandboxUnavailable] = (503, StatusCode.Unavailable),
        [ToolMissing] = (503, StatusCode.Unavailable),
    };

    public static IEnumerable<string> All => Table.Keys;

    public static int HttpStatus(string code) => Table.TryGetValue(code, out var row) ? row.Http : 500;

    public static StatusCode GrpcStatus(string code) =>
        Table.TryGetValue(code, out var row) ? row.Grpc : StatusCode.Internal;
}
