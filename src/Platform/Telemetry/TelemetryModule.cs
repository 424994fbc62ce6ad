using Hexcast.Platform.Hosting;
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
        // Before the first role makes a span or counts something.
        services.GetRequiredService<TelemetryProviders>();
        services.GetRequiredService<NodeTelemetry>();
        http.MapGet("/metrics", services.GetRequiredService<MetricsEndpoint>().AnswerAsync).Untraced();
        var vars = services.GetRequiredService<Vars>();
        http.MapGet("/debug/vars", async (CancellationToken cancel) => Results.Json(await vars.DescribeAsync(cancel)));
        http.MapGet("/debug/profile", services.GetRequiredService<Profile>().AnswerAsync).Untraced();
    }
}
