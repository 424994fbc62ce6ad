using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Access;

/// <summary>What a token is asked to be; <see cref="ITokenBook.CreateAsync"/> says what it may.</summary>
/// <param name="ExpiresIn">Seconds; null is never.</param>
public sealed record TokenRequest(string? Name, IReadOnlyList<string?>? Scopes, string? Tenant, long? ExpiresIn);

/// <summary>A token as people may see it: all but its secret.</summary>
/// <param name="Tenant">Null: every tenant's.</param>
/// <param name="CreatedBy">The id of the token that made it; null: nobody's did.</param>
/// <param name="ExpiresAt">Null: never.</param>
/// <param name="LastUsedAt">Null: not yet.</param>
/// <param name="FileOfNode">The node whose admin.token it is; null: it is none.</param>
public sealed record KnownToken(
    string Id,
    string Name,
    IReadOnlyList<string> Scopes,
    string? Tenant,
    DateTimeOffset? CreatedAt,
    string? CreatedBy,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? LastUsedAt,
    string? FileOfNode)
{
    /// <summary>In the audit log.</summary>
    public string Label => $"{Id} ({Name})";
}

/// <summary>
/// The tokens that there are. The role Access keeps them; its API asks here, and so do the dashboard's pages. Who is of
/// one tenant makes and sees that tenant's only.
/// </summary>
public interface ITokenBook
{
    /// <summary>The oldest first.</summary>
    IReadOnlyList<KnownToken> List(Principal viewer);

    /// <returns>The token and its secret, which nobody can tell again.</returns>
    /// <exception cref="HexcastException">invalid_argument, scope_missing, resource_exhausted</exception>
    Task<(KnownToken Token, string Secret)> CreateAsync(
        Principal maker, TokenRequest asked, CancellationToken cancellationToken);

    /// <summary>The token, and whatever it has begun, is out when it ends.</summary>
    /// <exception cref="HexcastException">not_found; conflict: it is a node's admin token.</exception>
    Task RevokeAsync(Principal viewer, string id);
}

public static class TokenBooks
{
    /// <summary>
    /// Makes a token for whoever asks and writes so, before anybody has its secret. One that cannot be written is
    /// taken back.
    /// </summary>
    /// <exception cref="HexcastException">audit_unavailable; and as of the book itself.</exception>
    public static async Task<(KnownToken Token, string Secret)> CreateAuditedAsync(
        this ITokenBook book, HttpContext context, TokenRequest asked)
    {
        var made = await book.CreateAsync(context.Principal(), asked, context.RequestAborted);
        context.Audit().Target = made.Token.Label;
        try
        {
            await context.Audit().RequireAsync(context);
            return made;
        }
        catch (HexcastException)
        {
            await book.RevokeAsync(context.Principal(), made.Token.Id);
            throw;
        }
    }
}

/// <summary>The audit log, read.</summary>
public interface IAuditReader
{
    /// <param name="cursor">From <see cref="AuditListing.Next"/>; empty begins at the newest.</param>
    /// <param name="tenant">Only this tenant's; null is all.</param>
    /// <exception cref="HexcastException">invalid_argument: no cursor of this log.</exception>
    AuditListing Read(int limit, string cursor, string? tenant);
}

/// <summary>Entries, the newest first.</summary>
/// <param name="Next">Where older ones begin; null: there are none.</param>
public sealed record AuditListing(IReadOnlyList<AuditEntry> Entries, string? Next);
