using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.Telemetry;

/// <summary>Traces, metrics and what one looks at while something is wrong. Part of every node, not a role.</summary>
public sealed class TelemetryModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        role.AddOptions<TelemetryOptions>("Telemetry");
        role.Services.AddMetrics();
        role.Services.AddSingleton<PrometheusReader>();
        role.Services.AddSingleton<TelemetryProviders>();
        role.Services.AddSingleton<NodeTelemetry>();
        role.Services.AddSingleton<MetricsEndpoint>();
        role.Services.AddSingleton<Vars>();
        role.Services.AddSingleton<Profile>();
    }

    public override void MapHttp(IEndpointRouteBuilder http)
    {
        var services = http.ServiceProvider;
        services.GetRequiredService<NodeTelemetry>();
        ObjectStore.ObjectStoreTelemetry.Zero();
        MetricsEndpoint.Zero();
        http.MapGet("/metrics", services.GetRequiredService<MetricsEndpoint>().AnswerAsync).AllowAnyone().Untraced()
            .Describe(ApiGroup.Nodes, "Scrape the metrics", metrics => metrics
                .Says("OpenMetrics where `Accept` asks for it, otherwise Prometheus' text.")
                .Answers(200, "every metric of this node", "text/plain", "application/openmetrics-text"));
        var vars = services.GetRequiredService<Vars>();
        http.MapGet("/debug/vars", async (CancellationToken cancel) => Results.Json(await vars.DescribeAsync(cancel)))
            .RequireScope(Scope.Admin, everyTenant: true)
            .Describe(ApiGroup.Nodes, "Look into the process", look => look
                .Answers(200, "what it is and what it uses", "application/json"));
        http.MapGet("/debug/profile", services.GetRequiredService<Profile>().AnswerAsync)
            .RequireScope(Scope.Admin, everyTenant: true).Untraced()
            .Describe(ApiGroup.Nodes, "Profile the process", profile => profile
                .Says("Samples where its processor time goes, as a .nettrace file.")
                .Query("seconds", Value.Number(1, Profile.SecondsLimit, Profile.SecondsDefault), "for how long")
                .Answers(200, "the profile", "application/octet-stream")
                .Fails(ErrorCodes.InvalidArgument, ErrorCodes.Conflict));
    }
}
