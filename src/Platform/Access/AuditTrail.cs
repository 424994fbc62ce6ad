using System.Diagnostics;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Access;

/// <summary>
/// One line of the audit log: who did what to what, from where, and how it ended. Its names stand in files that are
/// kept: what is added is not required.
/// </summary>
/// <param name="Who">The name of the token; empty where nobody was let in.</param>
/// <param name="Credential">Its id.</param>
/// <param name="Action">A noun and a verb: media.delete.</param>
/// <param name="Outcome">"ok", or the code of the error that was answered.</param>
public sealed record AuditEntry(
    DateTimeOffset At,
    string Who,
    string Credential,
    string? Tenant,
    string Action,
    string Target,
    string Address,
    string Outcome,
    string? TraceId);

/// <summary>Where audit entries go.</summary>
public interface IAuditLog
{
    /// <summary>
    /// True: it is durable. False: it cannot be written now; it is kept, and written before any later one.
    /// </summary>
    Task<bool> WriteAsync(AuditEntry entry);

    /// <summary>True: it is durable. False: it cannot be written now, and is not kept.</summary>
    Task<bool> TryWriteAsync(AuditEntry entry);
}

/// <summary>
/// What a request will have done. The pipeline fills it from the route and the answer; a handler that knows better
/// says so before it answers.
/// </summary>
public sealed class AuditTrail
{
    public const string Ok = "ok";

    private readonly IAuditLog? log;
    private readonly TimeProvider clock;
    private bool written;

    /// <param name="log">Null: nobody reads this one.</param>
    internal AuditTrail(string action, IAuditLog? log, TimeProvider clock) =>
        (Action, this.log, this.clock) = (action, log, clock);

    public string Action { get; set; }

    /// <summary>Null: the id in the path.</summary>
    public string? Target { get; set; }

    /// <summary>Null: whoever was let in.</summary>
    public Principal? Principal { get; set; }

    /// <summary>Null: what the answer says.</summary>
    public string? Outcome { get; set; }

    /// <summary>Nothing worth a line, such as a piece of an upload. Whoever is not let in has one anyway.</summary>
    public bool Unremarkable { get; set; }

    /// <summary>
    /// For what gives somebody a token: writes that it went well, before the token leaves. What is asked for
    /// after this may no longer fail.
    /// </summary>
    /// <exception cref="HexcastException">audit_unavailable: give nothing away.</exception>
    public async Task RequireAsync(HttpContext context)
    {
        if (log is not null && !written)
        {
            written = await log.TryWriteAsync(EntryOf(context, Ok)) ? true : throw new HexcastException(
                ErrorCodes.AuditUnavailable,
                "The audit log cannot be written, and without it no token is given out. Make space on the disk "
                + "of the data folder, or look into the server's log.");
        }
    }

    /// <summary>Once, however often it is called.</summary>
    internal Task WriteAsync(HttpContext context)
    {
        if (log is null || written || Unremarkable)
        {
            return Task.CompletedTask;
        }

        written = true;
        var outcome = Outcome ?? context.Features.Get<ProblemCode>()?.Code ?? OutcomeOf(context.Response.StatusCode);
        return log.WriteAsync(EntryOf(context, outcome));
    }

    internal AuditEntry EntryOf(HttpContext context, string outcome)
    {
        var principal = Principal ?? context.Features.Get<Principal>();
        return new AuditEntry(
            clock.GetUtcNow(),
            principal?.Name ?? "",
            principal?.Id ?? "",
            principal?.Tenant,
            Action,
            Target ?? TargetOf(context.Request),
            context.Connection.RemoteIpAddress?.ToString() ?? "",
            outcome,
            Activity.Current?.TraceId.ToHexString());
    }

    private static string TargetOf(HttpRequest request) =>
        (request.RouteValues["media_id"] ?? request.RouteValues["id"]) as string ?? "";

    private static string OutcomeOf(int status) => status < StatusCodes.Status400BadRequest ? Ok : $"status_{status}";
}

public static class AuditTrails
{
    /// <summary>The trail of this request; one that nobody reads where the endpoint is not audited.</summary>
    public static AuditTrail Audit(this HttpContext context) =>
        context.Features.Get<AuditTrail>() ?? new AuditTrail("", log: null, TimeProvider.System);
}
