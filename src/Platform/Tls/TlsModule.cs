using Hexcast.Platform.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.Tls;

/// <summary>TLS on the HTTP port. Part of every node, not a role.</summary>
public sealed class TlsModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        var options = role.AddOptions<TlsOptions>("Tls");
        if (!options.IsOn())
        {
            return;
        }

        ServerCertificate.Check(options);
        role.Services.AddSingleton<ServerCertificate>();
        role.Services.AddHostedService(services => services.GetRequiredService<ServerCertificate>());
    }
}
