using System.Collections.Concurrent;
using System.Collections.Frozen;
using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Testing;

/// <summary>
/// Stands for the role Access in tests of other roles: everybody is admin, or whoever the header X-Principal names as
/// "tenant;scope,scope", with ";browser" for a session of the dashboard; "nobody" has no credential. Keeps the audit
/// entries.
/// </summary>
internal sealed class TestAccess : RoleModule, IAuthenticator, IAuditLog
{
    public const string Header = "X-Principal";

    public ConcurrentQueue<AuditEntry> Entries { get; } = new();

    public override void AddServices(RoleBuilder role)
    {
        role.Services.AddSingleton<IAuthenticator>(this);
        role.Services.AddSingleton<IAuditLog>(this);
    }

    public ValueTask<Principal?> AuthenticateAsync(HttpContext context, bool mayRenew)
    {
        var shown = context.Request.Headers[Header].ToString();
        if (shown == "nobody")
        {
            return ValueTask.FromResult<Principal?>(null);
        }

        var parts = shown.Split(';');
        var scopes = parts.Length < 2 ? [Scope.Admin]
            : parts[1].Split(',').Select(name => Scopes.TryParse(name, out var scope) ? scope : default).ToFrozenSet();
        return ValueTask.FromResult<Principal?>(
            new Principal(
                "test", "test", scopes, parts[0].Length == 0 ? null : parts[0],
                SessionId: parts is [_, _, "browser"] ? "session" : null));
    }

    public ValueTask<CancellationToken> EndOfAsync(Principal principal, CancellationToken cancel) =>
        ValueTask.FromResult(CancellationToken.None);

    public Task<bool> WriteAsync(AuditEntry entry)
    {
        Entries.Enqueue(entry);
        return Task.FromResult(true);
    }

    public Task<bool> TryWriteAsync(AuditEntry entry) => WriteAsync(entry);
}
