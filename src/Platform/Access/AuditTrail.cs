using System.Diagnostics;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Access;

/// <summary>One line of the audit log: who did what to what, from where, and how it ended.</summary>
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
    /// <summary>Durable when it ends. One that cannot be written is logged, and never thrown to its request.</summary>
    Task WriteAsync(AuditEntry entry);
}

/// <summary>
/// What a request will have done. The pipeline fills it from the route and the answer; a handler that knows better
/// says so before it answers.
/// </summary>
public sealed class AuditTrail
{
    public const string Ok = "ok";

    private bool written;

    internal AuditTrail(string action) => Action = action;

    public string Action { get; set; }

    /// <summary>Null: the id in the path.</summary>
    public string? Target { get; set; }

    /// <summary>Null: whoever was let in.</summary>
    public Principal? Principal { get; set; }

    /// <summary>Null: what the answer says.</summary>
    public string? Outcome { get; set; }

    /// <summary>Nothing worth a line, such as a piece of an upload. Whoever is not let in has one anyway.</summary>
    public bool Unremarkable { get; set; }

    /// <summary>Once, however often it is called.</summary>
    internal Task WriteAsync(HttpContext context, IAuditLog log, TimeProvider clock)
    {
        if (written || Unremarkable)
        {
            return Task.CompletedTask;
        }

        written = true;
        var outcome = Outcome ?? context.Features.Get<ProblemCode>()?.Code ?? OutcomeOf(context.Response.StatusCode);
        return log.WriteAsync(EntryOf(context, this, outcome, clock));
    }

    internal static AuditEntry EntryOf(HttpContext context, AuditTrail trail, string outcome, TimeProvider clock)
    {
        var principal = trail.Principal ?? context.Features.Get<Principal>();
        return new AuditEntry(
            clock.GetUtcNow(),
            principal?.Name ?? "",
            principal?.Id ?? "",
            principal?.Tenant,
            trail.Action,
            trail.Target ?? TargetOf(context.Request),
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
        context.Features.Get<AuditTrail>() ?? new AuditTrail("");
}
