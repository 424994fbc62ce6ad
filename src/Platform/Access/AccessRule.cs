using Microsoft.AspNetCore.Builder;

namespace Hexcast.Platform.Access;

/// <summary>What an endpoint asks of whoever calls it. Every HTTP endpoint declares one; see below.</summary>
/// <param name="Anyone">No credential is needed.</param>
/// <param name="Scope">Which the credential must have; null, where somebody is required: any.</param>
/// <param name="EveryTenant">Only for those who see every tenant: it is about the platform, not media.</param>
public sealed record AccessRule(bool Anyone, Scope? Scope, bool EveryTenant);

/// <summary>Answered with HTML: who is not signed in is sent to the sign-in page; strict headers are set.</summary>
/// <param name="Embeddable">Other sites may show it in a frame.</param>
public sealed record PageRule(bool Embeddable);

/// <summary>What is written to the audit log when the endpoint has answered.</summary>
public sealed record AuditRule(string Action);

/// <summary>
/// How an endpoint declares who may call it. The last declaration counts, so that a group can set one.
/// </summary>
public static class AccessDeclarations
{
    /// <param name="everyTenant">Only for those who see every tenant.</param>
    public static TBuilder RequireScope<TBuilder>(this TBuilder endpoint, Scope scope, bool everyTenant = false)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.With(new AccessRule(Anyone: false, scope, everyTenant));

    /// <summary>Somebody, whatever the scopes.</summary>
    public static TBuilder RequireSignIn<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.With(new AccessRule(Anyone: false, Scope: null, EveryTenant: false));

    /// <summary>The endpoint itself decides, or there is nothing to protect.</summary>
    public static TBuilder AllowAnyone<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder =>
        endpoint.With(new AccessRule(Anyone: true, Scope: null, EveryTenant: false));

    /// <summary>It answers with HTML. Beside one of the above.</summary>
    /// <param name="embeddable">Other sites may show it in a frame.</param>
    public static TBuilder Page<TBuilder>(this TBuilder endpoint, bool embeddable = false)
        where TBuilder : IEndpointConventionBuilder => endpoint.With(new PageRule(embeddable));

    /// <summary>
    /// Who called it, for what and with which outcome goes into the audit log before the answer leaves. What can change
    /// anything is audited; a test finds those that are not.
    /// </summary>
    /// <param name="action">A noun and a verb: <c>media.delete</c>. <see cref="AuditTrail"/>: more to say.</param>
    public static TBuilder Audited<TBuilder>(this TBuilder endpoint, string action)
        where TBuilder : IEndpointConventionBuilder => endpoint.With(new AuditRule(action));

    private static TBuilder With<TBuilder>(this TBuilder endpoint, object rule)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder => builder.Metadata.Add(rule));
        return endpoint;
    }
}
