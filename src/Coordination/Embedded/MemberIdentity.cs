using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Platform.Identity;

namespace Hexcast.Coordination.Embedded;

/// <summary>Who answers. A member's id is its own for ever: one that comes back without its log comes under a new one.
/// </summary>
/// <param name="Address">host:port at which the other members reach it.</param>
internal sealed record MemberIdentity(string ClusterName, string NodeName, ulong MemberId, string Address)
{
    private readonly ulong _clusterId = IdOf("cluster", ClusterName);

    public ulong ClusterId => _clusterId;

    /// <summary>Of members whose log does not say it: it follows from the names.</summary>
    public static ulong FirstVersionsId(string clusterName, string nodeName) => IdOf("member", clusterName, nodeName);

    /// <param name="nonce">Never used before.</param>
    public static ulong NewId(string clusterName, string nodeName, string nonce) =>
        IdOf("member", clusterName, nodeName, nonce);

    /// <summary>Of a group that begins.</summary>
    public static ulong NewGroup() => BinaryPrimitives.ReadUInt64BigEndian(IdSource.NewSecret(8)) | 1;

    public ResponseHeader Header(long revision, ulong term) =>
        new() { ClusterId = ClusterId, MemberId = MemberId, Revision = revision, RaftTerm = term };

    public SavedMember AsMember() => new() { Id = MemberId, Node = NodeName, Address = Address };

    private static ulong IdOf(params ReadOnlySpan<string> parts)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', parts)));
        // 0 means "nobody" in votes.
        return BinaryPrimitives.ReadUInt64BigEndian(hash) | 1;
    }
}
