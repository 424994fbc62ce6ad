using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;

namespace Hexcast.Platform.Access;

/// <summary>How a node may be reached. Part of every node; who knows credentials is the role of that name.</summary>
public sealed class AccessModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        var options = role.AddOptions<AccessOptions>("Access");
        var tls = !string.IsNullOrEmpty(role.Setting($"Tls:{nameof(TlsOptions.CertificateFile)}"));
        ListeningRules.Require(role.Node, options, tls);
    }
}
