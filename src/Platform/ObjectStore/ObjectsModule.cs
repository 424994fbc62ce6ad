using System.ComponentModel.DataAnnotations;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.ObjectStore;

public enum ObjectsPlace
{
    /// <summary>In a folder: this node's own, or one that nodes share.</summary>
    Folder,

    /// <summary>On the node of the cluster that runs the role upload.</summary>
    Node,
}

/// <summary>Section <c>Objects</c>.</summary>
public sealed record ObjectsOptions
{
    /// <summary>Where media bytes are.</summary>
    [EnumDataType(typeof(ObjectsPlace), ErrorMessage = "may be Folder or Node.")]
    public ObjectsPlace Place { get; set; } = ObjectsPlace.Folder;

    /// <summary>Where media bytes lie; empty is <c>objects</c> in the data folder. Nodes may share it.</summary>
    public string Folder { get; set; } = "";
}

/// <summary>
/// The store of media bytes. Part of every node; one of a cluster that has them in a folder serves them to the others.
/// </summary>
public sealed class ObjectsModule : RoleModule
{
    private bool serves;

    public override void AddServices(RoleBuilder role)
    {
        var options = role.AddOptions<ObjectsOptions>("Objects");
        if (options.Place == ObjectsPlace.Node)
        {
            RequireCluster(role.Node);
            var outgoing = role.DataFolder("outgoing");
            role.Services.AddSingleton<IObjectStore>(provider => new NodeObjectStore(
                provider.GetRequiredService<IRoleRoutes>(), provider.GetRequiredService<NodeChannels>(),
                outgoing, provider.GetRequiredService<TimeProvider>()));
            return;
        }

        serves = role.Node.Cluster is not null;
        var folder = Path.GetFullPath(options.Folder.Length > 0 ? options.Folder : "objects", role.Node.DataFolder);
        var node = role.Node.NodeId;
        role.Services.AddSingleton<IObjectStore>(
            provider => new LocalObjectStore(folder, node, provider.GetRequiredService<TimeProvider>()));
    }

    public override void MapGrpc(IEndpointRouteBuilder grpc)
    {
        if (serves)
        {
            ObjectEndpoint.Map(grpc);
        }
    }

    private static void RequireCluster(NodeSettings node)
    {
        if (node.Cluster is null)
        {
            throw new ConfigurationException([
                "Objects:Place = 'Node': the node that has the objects serves them to nodes of its cluster, by their " +
                "certificates, and this one has none. Join a cluster (./hexcast cluster join), or set it to Folder."]);
        }
    }
}
