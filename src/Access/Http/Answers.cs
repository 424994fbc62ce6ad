namespace Hexcast.Access.Http;

/// <summary>A token as it is listed. Times are RFC 3339 in UTC; null is never.</summary>
/// <param name="Tenant">Null: every tenant's.</param>
/// <param name="AdminFile">It is a node's admin.token.</param>
internal sealed record TokenAnswer(
    string Id,
    string Name,
    IReadOnlyList<string> Scopes,
    string? Tenant,
    string? CreatedAt,
    string? CreatedBy,
    string? ExpiresAt,
    string? LastUsedAt,
    bool AdminFile);

internal sealed record NewTokenAnswer(
    string Id,
    string Name,
    IReadOnlyList<string> Scopes,
    string? Tenant,
    string? CreatedAt,
    string? CreatedBy,
    string? ExpiresAt,
    string? LastUsedAt,
    bool AdminFile,
    string Secret);

internal sealed record TokensAnswer(IReadOnlyList<TokenAnswer> Tokens);

/// <param name="ExpiresIn">Seconds; null is never.</param>
internal sealed record TokenRequest(string? Name, IReadOnlyList<string?>? Scopes, string? Tenant, long? ExpiresIn);

internal sealed record SignInRequest(string? Token);

internal sealed record SessionAnswer(
    string Name, IReadOnlyList<string> Scopes, string? Tenant, string? ExpiresAt);

internal sealed record AuditEntryAnswer(
    string At,
    string Who,
    string Credential,
    string? Tenant,
    string Action,
    string Target,
    string Address,
    string Outcome,
    string? TraceId);

internal sealed record AuditAnswer(IReadOnlyList<AuditEntryAnswer> Entries, string? NextCursor);
