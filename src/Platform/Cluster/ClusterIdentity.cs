using System.Text.Json;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Platform.Cluster;

/// <summary>
/// What makes a node one of a cluster: the folder <c>cluster</c> of its data.
/// <code>
///   cluster.json  this record         ca.pem    the cluster's CA
///   node.pem      its certificate     node.key  its private key, 0600
///   removed.json  nodes that are out
///   on nodes that may sign:           ca.key    the CA's private key, 0600
///   tokens/       join tokens, hashed nodes/    names that are given out
/// </code>
/// </summary>
/// <param name="Address">host:port where the other nodes reach this one.</param>
/// <param name="Seeds">host:port of nodes to ask; those that sign first.</param>
public sealed record ClusterIdentity(string ClusterId, string Node, string Address, IReadOnlyList<string> Seeds)
{
    /// <summary>Seeds that a node keeps.</summary>
    public const int SeedLimit = 64;

    internal const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const string FolderName = "cluster";
    private const string FileName = "cluster.json";
    private const int FileLimitBytes = 64 * 1024;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>ADDRESS:PORT where it listens, when that is not <see cref="Address"/>; null otherwise.</summary>
    public string? Listen { get; init; }

    [System.Text.Json.Serialization.JsonIgnore]
    public string Folder { get; private init; } = "";

    /// <summary>Whether this node holds the key of the cluster's CA.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool Signs => File.Exists(AuthorityKeyFile);

    internal string AuthorityFile => Path.Combine(Folder, "ca.pem");

    public string AuthorityKeyFile => Path.Combine(Folder, "ca.key");

    internal string CertificateFile => Path.Combine(Folder, "node.pem");

    internal string KeyFile => Path.Combine(Folder, "node.key");

    internal string RemovedFile => Path.Combine(Folder, "removed.json");

    internal string TokensFolder => Path.Combine(Folder, "tokens");

    /// <summary>Whether this node has given names to others.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool HasLetIn => Directory.Exists(NodesFolder)
        && Directory.EnumerateFiles(NodesFolder, "*.json").Any(file => Path.GetFileNameWithoutExtension(file) != Node);

    [System.Text.Json.Serialization.JsonIgnore]
    public string NodesFolder => Path.Combine(Folder, "nodes");

    public static string FolderIn(string dataFolder) => Path.Combine(dataFolder, FolderName);

    /// <summary>Null: the node is none of a cluster.</summary>
    /// <exception cref="ConfigurationException">There is one, and it cannot be read.</exception>
    public static ClusterIdentity? Find(string dataFolder)
    {
        var folder = FolderIn(dataFolder);
        return Directory.Exists(folder) ? Read(folder) : null;
    }

    /// <summary>A name stays a node's until its certificate ends, and so does a voter's place: less does not do.
    /// </summary>
    internal static string ToJoinAnew(string folder, string node = "NODE") =>
        $"For that run ./hexcast cluster remove {node} on another one, stop this one, remove cluster, coordinator " +
        $"and node.id from {Path.GetDirectoryName(folder)}, and join by a new name.";

    /// <summary>Of a folder that is still being made.</summary>
    internal ClusterIdentity In(string folder) => this with { Folder = folder };

    internal void Write() => DurableFiles.WriteAllBytes(
        Path.Combine(Folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, Json));

    private static ClusterIdentity Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            var bytes = SmallFile.Read(path, FileLimitBytes);
            return JsonSerializer.Deserialize<ClusterIdentity>(bytes, Json) is { ClusterId: not null } read
                && read.Node is not null && NodeSettings.IsName(read.Node) && read.Address is not null
                && read.Seeds is not null
                ? read with { Folder = folder }
                : throw new JsonException("cluster_id, node, address and seeds are wanted");
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new ConfigurationException([
                $"{path}: {unusable.Message} Put it back from a copy, or make this a new node. {ToJoinAnew(folder)}"]);
        }
    }
}
