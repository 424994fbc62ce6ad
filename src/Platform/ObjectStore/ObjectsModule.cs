using Hexcast.Platform.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.ObjectStore;

/// <summary>Section <c>Objects</c>.</summary>
public sealed record ObjectsOptions
{
    /// <summary>Where media bytes lie; empty is <c>objects</c> in the data folder. Nodes may share it.</summary>
    public string Folder { get; set; } = "";
}

/// <summary>The store of media bytes. Part of every node.</summary>
public sealed class ObjectsModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        var options = role.AddOptions<ObjectsOptions>("Objects");
        var folder = Path.GetFullPath(options.Folder.Length > 0 ? options.Folder : "objects", role.Node.DataFolder);
        var node = role.Node.NodeId;
        role.Services.AddSingleton<IObjectStore>(
            provider => new LocalObjectStore(folder, node, provider.GetRequiredService<TimeProvider>()));
    }
}
