using System.Text.Json;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;

namespace Hexcast.Platform.Cluster;

/// <summary>A name that is a node's until its certificate ends.</summary>
/// <param name="Key">Hash of its public key.</param>
internal sealed record GivenName(string Node, string Key, string Address, DateTimeOffset Until);

/// <summary>The names that a node which signs has given out, a file each.</summary>
internal sealed class GivenNames(string folder)
{
    /// <summary>Nodes that a cluster may have; names whose certificates ended do not count.</summary>
    private const int Limit = 1_000;

    private const int FileLimitBytes = 16 * 1024;

    /// <exception cref="HexcastException">Another node has the name, or there are too many.</exception>
    public void RequireFree(string node, string key, DateTimeOffset now)
    {
        if (Read(PathOf(node)) is { } given)
        {
            if (given.Key != key && given.Until > now)
            {
                throw new HexcastException(
                    ErrorCodes.NodeNameTaken,
                    $"Another node is called {node} until {given.Until:yyyy-MM-dd}. Choose another --node.");
            }
        }
        else if (All(now).Count >= Limit)
        {
            throw new HexcastException(
                ErrorCodes.ResourceExhausted, $"The cluster has {Limit} nodes, which is as many as it may have.");
        }
    }

    public void Give(GivenName name)
    {
        ClusterFolder.CreatePrivate(folder);
        SmallFile.WriteSecret(PathOf(name.Node), JsonSerializer.SerializeToUtf8Bytes(name));
    }

    public IReadOnlyList<GivenName> All(DateTimeOffset now) => !Directory.Exists(folder) ? [] :
        [.. Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(Read).OfType<GivenName>()
            .Where(given => given.Until > now)];

    private string PathOf(string node) => NodeSettings.IsName(node)
        ? Path.Combine(folder, $"{node}.json")
        : throw new ArgumentException($"'{node}' is no name of a node", nameof(node));

    private static GivenName? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<GivenName>(SmallFile.Read(path, FileLimitBytes));
        }
        catch (Exception absent) when (absent is IOException or JsonException)
        {
            return null;
        }
    }
}
