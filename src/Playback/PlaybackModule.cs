using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Http;
using Hexcast.Playback.Segments;
using Hexcast.Playback.Tokens;
using Hexcast.Playback.Versions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Playback;

/// <summary>Manifests, segments and tokens.</summary>
public sealed class PlaybackModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        role.AddOptions<PlaybackOptions>("Playback");
        role.AddRoleClient("catalog", invoker => new Wire.Catalog.CatalogClient(invoker));
        var keys = Path.Combine(role.DataFolder("keys"), "playback.json");
        role.Services.AddSingleton(_ => KeyRing.Open(keys));
        role.Services.AddSingleton<PlaybackTokens>();
        role.Services.AddSingleton<ViewerAccess>();
        role.Services.AddSingleton<VersionCache>();
        role.Services.AddSingleton<ObjectResponse>();
        role.Services.AddSingleton<FirstPlays>();
        role.Services.AddSingleton<PlayEndpoints>();
        role.Services.AddSingleton<LinksEndpoint>();
        role.Services.AddSingleton<PlaybackService>();
        role.Services.AddHostedService<ChangeFollower>();
        role.Services.AddHostedService(services => services.GetRequiredService<FirstPlays>());
    }

    public override void MapHttp(IEndpointRouteBuilder http)
    {
        PlaybackTelemetry.Zero();
        http.ServiceProvider.GetRequiredService<PlayEndpoints>().Map(http);
        var links = http.ServiceProvider.GetRequiredService<LinksEndpoint>();
        http.MapPost("/v1/media/{media_id}/playback", links.HandleAsync)
            .Describe(ApiGroup.Playback, "Ask for the addresses to play", PlayOperations.Links)
            .RequireScope(Scope.Read).Audited("playback.token");
    }

    public override void MapGrpc(IEndpointRouteBuilder grpc) => grpc.MapGrpcService<PlaybackService>();
}
