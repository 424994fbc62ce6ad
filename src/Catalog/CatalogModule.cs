using Hexcast.Catalog.Delivery;
using Hexcast.Catalog.Http;
using Hexcast.Catalog.Subtitles;
using Hexcast.Catalog.Versions;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Catalog;

/// <summary>Knows every media: its state, what its versions consist of, and who has to hear of it.</summary>
public sealed class CatalogModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        var database = Path.Combine(role.DataFolder("catalog"), "catalog.db");
        role.AddRoleClient("master", invoker => new Transcoder.TranscoderClient(invoker));
        role.AddRoleClient("master", invoker => new Scheduler.SchedulerClient(invoker));
        role.Services.AddSingleton<MediaChanges>();
        role.Services.AddSingleton(services => new CatalogStore(
            database, services.GetRequiredService<MediaChanges>(), services.GetRequiredService<TimeProvider>()));
        role.Services.AddSingleton<IScrapeProbe, CatalogTelemetry>();
        role.Services.AddSingleton<MediaCommands>();
        role.Services.AddSingleton<MediaEndpoints>();
        role.Services.AddSingleton<SubtitleCommands>();
        role.Services.AddSingleton<SubtitleEndpoints>();
        role.Services.AddSingleton<MediaEvents>();
        role.Services.AddSingleton<LibraryEvents>();
        role.Services.AddSingleton<AttemptReader>();
        role.Services.AddSingleton<JobFollower>();
        role.Services.AddSingleton<OutboxReceivers>();
        role.Services.AddSingleton<CatalogService>();
        role.Services.AddHostedService<JobFollowers>();
        foreach (var kind in OutboxKinds.All)
        {
            role.Services.AddSingleton<IHostedService>(
                services => ActivatorUtilities.CreateInstance<OutboxDispatcher>(services, kind));
        }
    }

    public override void MapHttp(IEndpointRouteBuilder http)
    {
        CatalogTelemetry.Zero();
        MediaEndpoints.Map(http);
        SubtitleEndpoints.Map(http);
    }

    public override void MapGrpc(IEndpointRouteBuilder grpc)
    {
        grpc.MapGrpcService<CatalogService>();
    }
}
