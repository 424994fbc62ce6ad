using Hexcast.Dashboard.Pages.Library;
using Hexcast.Dashboard.Pages.Media;
using Hexcast.Dashboard.Pages.Nodes;
using Hexcast.Dashboard.Pages.Problem;
using Hexcast.Dashboard.Pages.Settings;
using Hexcast.Dashboard.Pages.SignIn;
using Hexcast.Dashboard.Pages.Upload;
using Hexcast.Dashboard.Pages.Watch;
using Hexcast.Dashboard.Rendering;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Dashboard;

/// <summary>The pages that people see and run the platform by.</summary>
public sealed class DashboardModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        role.AddRoleClient("catalog", invoker => new Wire.Catalog.CatalogClient(invoker));
        role.AddRoleClient("master", invoker => new Wire.Scheduler.SchedulerClient(invoker));
        role.AddRoleClient("playback", invoker => new Wire.Playback.PlaybackClient(invoker));
        role.Services.AddSingleton<PageAssets>();
        role.Services.AddSingleton<PageRenderer>();
        role.Services.AddSingleton<IProblemPages, ProblemPages>();
        role.Services.AddSingleton<LibraryEndpoints>();
        role.Services.AddSingleton<UploadEndpoints>();
        role.Services.AddSingleton<SignInEndpoints>();
        role.Services.AddSingleton<NodesEndpoints>();
        role.Services.AddSingleton<SettingsEndpoints>();
        role.Services.AddSingleton<TokenPages>();
        role.Services.AddSingleton<Admission>();
        role.Services.AddSingleton<WatchEndpoints>();
        role.Services.AddSingleton<MediaEndpoints>();
    }

    public override void MapHttp(IEndpointRouteBuilder http)
    {
        var services = http.ServiceProvider;
        services.GetRequiredService<PageAssets>().Map(http);
        ThemeCookie.Map(http);
        services.GetRequiredService<LibraryEndpoints>().Map(http);
        services.GetRequiredService<UploadEndpoints>().Map(http);
        services.GetRequiredService<SignInEndpoints>().Map(http);
        services.GetRequiredService<NodesEndpoints>().Map(http);
        services.GetRequiredService<SettingsEndpoints>().Map(http);
        services.GetRequiredService<TokenPages>().Map(http);
        services.GetRequiredService<WatchEndpoints>().Map(http);
        services.GetRequiredService<MediaEndpoints>().Map(http);
    }
}
