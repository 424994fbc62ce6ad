using System.Collections.Immutable;
using System.Text.Json;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Platform.Cluster;

/// <summary>
/// The nodes whose certificates count no more, as the coordinator has them. Kept on disk too: a node that starts while
/// the coordinator cannot be reached lets none of them in.
/// </summary>
public sealed class RemovedNodes
{
    /// <summary>A key below it with a node's name is all that it takes to remove the node.</summary>
    public const string KeyPrefix = "/hexcast/cluster/removed/";

    private const int FileLimitBytes = 1024 * 1024;

    private readonly string path;
    private volatile ImmutableHashSet<string> names;

    internal RemovedNodes(ClusterIdentity identity)
    {
        path = identity.RemovedFile;
        names = File.Exists(path)
            ? [.. JsonSerializer.Deserialize<string[]>(SmallFile.Read(path, FileLimitBytes)) ?? []]
            : [];
    }

    internal event Action<IReadOnlySet<string>>? Changed;

    public bool Contains(string node) => names.Contains(node);

    /// <summary>From now on these are out, and their connections end.</summary>
    public void Replace(IEnumerable<string> removed)
    {
        var now = removed.ToImmutableHashSet(StringComparer.Ordinal);
        if (now.SetEquals(names))
        {
            return;
        }

        names = now;
        Changed?.Invoke(now);
        DurableFiles.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(now.Order(StringComparer.Ordinal)));
    }
}
