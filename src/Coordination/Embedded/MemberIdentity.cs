using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Embedded;

/// <summary>Who answers: both ids follow from names, so that they are the same after every restart.</summary>
internal sealed class MemberIdentity(string clusterName, string nodeName)
{
    public string NodeName { get; } = nodeName;

    public ulong ClusterId { get; } = IdOf("cluster", clusterName);

    public ulong MemberId { get; } = IdOf("member", clusterName, nodeName);

    public ResponseHeader Header(long revision, ulong term) =>
        new() { ClusterId = ClusterId, MemberId = MemberId, Revision = revision, RaftTerm = term };

    private static ulong IdOf(params ReadOnlySpan<string> parts)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', parts)));
        // 0 means "nobody" in votes.
        return BinaryPrimitives.ReadUInt64BigEndian(hash) | 1;
    }
}
