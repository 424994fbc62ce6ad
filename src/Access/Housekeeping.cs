using Google.Protobuf;
using Hexcast.Access.Audit;
using Hexcast.Access.Credentials;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Access;

/// <summary>
/// What can wait: last uses are written, and what the audit log still owes; ended sessions and long expired tokens are
/// taken away.
/// </summary>
internal sealed class Housekeeping(
    CredentialStore store, Sessions sessions, TokenUse use, CredentialEnds ends, AuditLog audit, TimeProvider clock)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>So long an expired token is still listed, so that people see why it does not work.</summary>
    private static readonly TimeSpan KeepExpired = TimeSpan.FromDays(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            EndExpired();
            await audit.WriteKeptAsync();
            await use.WriteAsync(stoppingToken);
            try
            {
                await sessions.SweepAsync(stoppingToken);
                await SweepTokensAsync(stoppingToken);
            }
            catch (HexcastException)
            {
                // The coordinator does not answer now; the next turn comes.
            }
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await audit.WriteKeptAsync();
        await use.WriteAsync(cancellationToken);
    }

    private void EndExpired()
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var token in store.All<AccessToken>().Where(t => t.ExpiresAtUnixMs > 0 && t.ExpiresAtUnixMs <= now))
        {
            ends.End(CredentialKeys.Token(token.Id));
            foreach (var session in store.All<AccessSession>(CredentialKeys.Sessions(token.Id)))
            {
                ends.End(CredentialKeys.Session(token.Id, session.Id));
            }
        }
    }

    private async Task SweepTokensAsync(CancellationToken cancel)
    {
        var longAgo = (clock.GetUtcNow() - KeepExpired).ToUnixTimeMilliseconds();
        foreach (var token in store.All<AccessToken>().Where(t => t.ExpiresAtUnixMs > 0 && t.ExpiresAtUnixMs < longAgo))
        {
            await TokenRevocation.RevokeAsync(store, token, cancel);
        }
    }
}
