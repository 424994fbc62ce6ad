using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Hexcast.Platform.Access;

namespace Hexcast.Access.Http;

/// <summary>A token as it is listed. Of times, null is never.</summary>
internal record TokenAnswer
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required IReadOnlyList<string> Scopes { get; init; }

    [Description("Null: every tenant's.")]
    public required string? Tenant { get; init; }
    public required DateTimeOffset? CreatedAt { get; init; }
    public required string? CreatedBy { get; init; }
    public required DateTimeOffset? ExpiresAt { get; init; }
    public required DateTimeOffset? LastUsedAt { get; init; }

    [Description("It is a node's admin.token.")]
    public required bool AdminFile { get; init; }

    public static TokenAnswer Of(KnownToken token) => new()
    {
        Id = token.Id,
        Name = token.Name,
        Scopes = token.Scopes,
        Tenant = token.Tenant,
        CreatedAt = token.CreatedAt,
        CreatedBy = token.CreatedBy,
        ExpiresAt = token.ExpiresAt,
        LastUsedAt = token.LastUsedAt,
        AdminFile = token.FileOfNode is not null,
    };
}

internal sealed record NewTokenAnswer : TokenAnswer
{
    public NewTokenAnswer()
    {
    }

    [SetsRequiredMembers]
    private NewTokenAnswer(TokenAnswer token, string secret) : base(token) => Secret = secret;

    [JsonPropertyOrder(1)]
    public required string Secret { get; init; }

    public static NewTokenAnswer Of(TokenAnswer token, string secret) => new(token, secret);
}

internal sealed record TokensAnswer(IReadOnlyList<TokenAnswer> Tokens);

internal sealed record SignInRequest(string? Token);

internal sealed record SessionAnswer(
    string Name, IReadOnlyList<string> Scopes, string? Tenant, DateTimeOffset? ExpiresAt);

internal sealed record AuditAnswer(IReadOnlyList<AuditEntryAnswer> Entries, string? NextCursor);

/// <summary>What is told of an entry; what is stored of it is <see cref="AuditEntry"/>.</summary>
internal sealed record AuditEntryAnswer(
    DateTimeOffset At,
    string Who,
    string Credential,
    string? Tenant,
    string Action,
    string Target,
    string Address,
    string Outcome,
    string? TraceId)
{
    public static AuditEntryAnswer Of(AuditEntry entry) => new(
        entry.At, entry.Who, entry.Credential, entry.Tenant, entry.Action, entry.Target, entry.Address, entry.Outcome,
        entry.TraceId);
}
