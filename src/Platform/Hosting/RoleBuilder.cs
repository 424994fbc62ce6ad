using Grpc.Core;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.Hosting;

/// <summary>What a module builds with.</summary>
public sealed class RoleBuilder(IServiceCollection services, IConfiguration configuration, NodeSettings node)
{
    public IServiceCollection Services { get; } = services;

    public NodeSettings Node { get; } = node;

    /// <summary>Binds and validates the role's one options record from its section, and registers it.</summary>
    /// <exception cref="ConfigurationException">Names each wrong key, its value and what it may be.</exception>
    public TOptions AddOptions<TOptions>(string section) where TOptions : class, new()
    {
        var options = OptionsBinder.Bind<TOptions>(configuration, section);
        Services.AddSingleton(options);
        Services.AddSingleton(new OptionsInEffect(section, options));
        return options;
    }

    /// <summary>A setting of another role's section, as it is written; null where there is none.</summary>
    public string? Setting(string key) => configuration[key];

    /// <summary>Registers a generated client of another role, wherever that one runs.</summary>
    /// <param name="called">The role that serves it, as its module is named.</param>
    public void AddRoleClient<TClient>(string called, Func<CallInvoker, TClient> create) where TClient : ClientBase =>
        Services.AddSingleton(provider => create(provider.GetRequiredService<IRoleRoutes>().To(called)));

    /// <summary>A folder of the role's own under the data folder, created.</summary>
    public string DataFolder(string name)
    {
        var path = Path.Combine(Node.DataFolder, name);
        ObjectStore.DurableFiles.CreateDirectory(path);
        return path;
    }
}
