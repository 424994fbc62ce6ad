using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Master.Http;
using Hexcast.Master.Scheduling;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Http;
using Hexcast.Platform.Presets;
using Hexcast.Platform.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Master;

/// <summary>The elected scheduler: takes orders, lays out jobs as tasks, and gives tasks to workers.</summary>
public sealed class MasterModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        role.AddOptions<MasterOptions>("Master");
        role.AddRoleClient("master", invoker => new Scheduler.SchedulerClient(invoker));
        role.Services.AddSingleton<ObjectSweeper>();
        role.Services.AddSingleton<ClusterPicture>();
        role.Services.AddSingleton<NodeEndpoints>();
        role.Services.AddSingleton<Mastership>();
        role.Services.AddSingleton<IScrapeProbe, QueueMetrics>();
        role.Services.AddHostedService(provider =>
        {
            // Read now: presets that cannot be used are said at start, not to the first order.
            provider.GetRequiredService<PresetCatalog>();
            return provider.GetRequiredService<Mastership>();
        });
    }

    public override void MapGrpc(IEndpointRouteBuilder grpc)
    {
        grpc.MapGrpcService<TranscoderService>();
        grpc.MapGrpcService<SchedulerService>();
    }

    public override void MapHttp(IEndpointRouteBuilder http)
    {
        MasterTelemetry.Zero();
        NodeEndpoints.Map(http);
        http.MapGet("/schedule", ScheduleAsync).RequireScope(Scope.Admin, everyTenant: true)
            .Describe(ApiGroup.Nodes, "Show the schedule", NodeOperations.Schedule);
    }

    /// <summary>For people who look for a fault: <c>?task_id={job}</c> or <c>?task_id={job}/{task}</c>.</summary>
    private static async Task<IResult> ScheduleAsync(
        [FromQuery(Name = "task_id")] string? taskId, Mastership mastership, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(taskId))
        {
            return Json(await mastership.Current.AskAsync<Schedule>(number => new ScheduleAsked(number), cancel));
        }

        var parts = taskId.Split('/', 2);
        return parts.Length == 1
            ? Json(await mastership.Current.AskAsync<Job>(number => new JobAsked(number, parts[0]), cancel))
            : Json(await mastership.Current.AskAsync<ScheduledTask>(
                number => new TaskAsked(number, parts[0], parts[1]), cancel));
    }

    private static IResult Json(IMessage message) => Results.Text(Format.Format(message), "application/json");

    private static readonly JsonFormatter Format =
        new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true).WithFormatDefaultValues(true));
}
