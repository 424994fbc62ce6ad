namespace Hexcast.Platform.Cluster;

/// <summary>The nodes that are there now, as those know who find each other.</summary>
public interface IKnownNodes
{
    /// <summary>host:port of each; as last known where that cannot be asked.</summary>
    IReadOnlyList<string> Addresses { get; }
}
