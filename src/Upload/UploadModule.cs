using Hexcast.Platform.Hosting;
using Hexcast.Platform.Identity;
using Hexcast.Upload.Tus;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hexcast.Upload;

/// <summary>Takes files: tus 1.0 and plain POST, durable before acknowledged, then hands them to Catalog.</summary>
public sealed class UploadModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        var options = role.AddOptions<UploadOptions>("Upload");
        var folder = role.DataFolder("uploads");
        role.AddRoleClient("catalog", invoker => new Contracts.V1.Catalog.CatalogClient(invoker));
        role.Services.AddSingleton<UploadPublisher>();
        role.Services.AddSingleton<UploadMetadataReader>();
        role.Services.AddSingleton<UploadReception>();
        role.Services.AddSingleton(services => new UploadStore(
            folder,
            options,
            services.GetRequiredService<UploadPublisher>(),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<UploadStore>>()));
        role.Services.AddHostedService<UploadRecovery>();
    }

    public override void MapHttp(IEndpointRouteBuilder http)
    {
        UploadTelemetry.Zero();
        TusEndpoints.Map(http);
    }
}
