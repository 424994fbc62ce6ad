using Hexcast.Access.Audit;
using Hexcast.Access.Credentials;
using Hexcast.Access.Http;
using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Access;

/// <summary>Knows who may do what: tokens, browsers' sessions, the audit log.</summary>
public sealed class AccessModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        var audit = role.DataFolder("audit");
        role.Services.AddSingleton<CredentialEnds>();
        role.Services.AddSingleton<CredentialStore>();
        role.Services.AddSingleton<Sessions>();
        role.Services.AddSingleton<Authenticator>();
        role.Services.AddSingleton<IAuthenticator>(services => services.GetRequiredService<Authenticator>());
        role.Services.AddSingleton<TokenUse>();
        role.Services.AddSingleton(services =>
            ActivatorUtilities.CreateInstance<AuditFiles>(services, audit));
        role.Services.AddSingleton<AuditLog>();
        role.Services.AddSingleton<IAuditLog>(services => services.GetRequiredService<AuditLog>());
        role.Services.AddSingleton<ITokenBook, TokenBook>();
        role.Services.AddSingleton<IAuditReader, AuditReader>();
        role.Services.AddSingleton<TokenEndpoints>();
        role.Services.AddSingleton<SessionEndpoints>();
        role.Services.AddSingleton<AuditEndpoints>();
        role.Services.AddHostedService(services => services.GetRequiredService<CredentialStore>());
        role.Services.AddHostedService<AdminTokenFile>();
        role.Services.AddHostedService<Housekeeping>();
    }

    public override void MapHttp(IEndpointRouteBuilder http)
    {
        AuditTelemetry.Zero();
        http.ServiceProvider.GetRequiredService<TokenEndpoints>().Map(http);
        http.ServiceProvider.GetRequiredService<SessionEndpoints>().Map(http);
        http.ServiceProvider.GetRequiredService<AuditEndpoints>().Map(http);
    }
}
