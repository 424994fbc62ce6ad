using System.Globalization;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;

namespace Hexcast.Dashboard.Tests.Support;

/// <summary>The tokens and the audit log that the role Access would keep.</summary>
internal sealed class FakeTokens : ITokenBook, IAuditReader
{
    public const string Secret = "hxc_0123456789abcdef";

    private static readonly DateTimeOffset Morning = new(2026, 11, 22, 9, 30, 0, TimeSpan.Zero);

    private readonly List<KnownToken> tokens = [];
    private readonly List<AuditEntry> entries = [];

    public void Fill()
    {
        Add("admin", null, ["read", "upload", "admin"], null, "node-1");
        Add("Studio ingest, second floor", "news", ["upload"], Morning.AddYears(1));
        Add("<b>bold</b>", "film-school", ["read", "upload"], Morning.AddYears(1));
        string[] actions = ["media.delete", "token.create", "session.create", "media.retry"];
        for (var i = 0; i < 60; i++)
        {
            entries.Add(new AuditEntry(
                Morning.AddMinutes(-i), i % 3 == 0 ? "Studio ingest, second floor" : "admin", "id", null,
                actions[i % actions.Length], $"01kb{i:d22}", "192.0.2.17", i % 7 == 5 ? "scope_missing" : "ok", null));
        }
    }

    public IReadOnlyList<KnownToken> List(Principal viewer) => [.. tokens];

    public Task<(KnownToken Token, string Secret)> CreateAsync(
        Principal maker, TokenRequest asked, CancellationToken cancellationToken) =>
        asked.Scopes is { Count: > 0 } scopes && asked.ExpiresIn is null or > 0
            ? Task.FromResult((
                Add(asked.Name!, asked.Tenant ?? "default", [.. scopes!], Morning.AddSeconds(asked.ExpiresIn ?? 1)),
                Secret))
            : throw new HexcastException(ErrorCodes.InvalidArgument, "scopes must name at least one.");

    public Task RevokeAsync(Principal viewer, string id) => tokens.RemoveAll(token => token.Id == id) > 0
        ? Task.CompletedTask
        : throw new HexcastException(ErrorCodes.NotFound, "There is no such token.");

    public AuditListing Read(int limit, string cursor, string? tenant)
    {
        var from = cursor.Length == 0 ? 0 : int.Parse(cursor, CultureInfo.InvariantCulture);
        var next = from + limit;
        return new AuditListing(
            [.. entries.Skip(from).Take(limit)],
            next < entries.Count ? next.ToString(CultureInfo.InvariantCulture) : null);
    }

    private KnownToken Add(
        string name, string? tenant, string[] scopes, DateTimeOffset? expires, string? fileOfNode = null)
    {
        var token = new KnownToken(
            $"token-{tokens.Count}", name, scopes, tenant, Morning, null, expires, null, fileOfNode);
        tokens.Add(token);
        return token;
    }
}
