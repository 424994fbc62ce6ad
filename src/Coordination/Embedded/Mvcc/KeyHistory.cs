using Google.Protobuf;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Embedded.Mvcc;

/// <summary>The versions of one key that are still kept, oldest first. A version without a value is a
/// deletion.</summary>
internal sealed class KeyHistory(ByteString key)
{
    private readonly List<Version> _versions = [];

    private readonly record struct Version(long Revision, KeyValue? Value);

    public ByteString Key { get; } = key;

    /// <summary>Of the index: where it stands.</summary>
    public KeyBlock? Block { get; set; }

    public bool IsEmpty => _versions.Count == 0;

    public KeyValue? Latest => _versions.Count == 0 ? null : _versions[^1].Value;

    public void Add(long revision, KeyValue? value) => _versions.Add(new Version(revision, value));

    public KeyValue? At(long revision)
    {
        // Nearly every read wants the newest version.
        for (var i = _versions.Count - 1; i >= 0; i--)
        {
            if (_versions[i].Revision <= revision)
            {
                return _versions[i].Value;
            }
        }
        return null;
    }

    /// <summary>Keeps what reads at <paramref name="revision"/> and later need; returns the bytes of what
    /// went.</summary>
    public long Compact(long revision)
    {
        var keepFrom = _versions.FindLastIndex(version => version.Revision <= revision);
        if (keepFrom >= 0 && _versions[keepFrom].Value is null)
        {
            keepFrom++;
        }
        if (keepFrom <= 0)
        {
            return 0;
        }
        long freed = 0;
        for (var i = 0; i < keepFrom; i++)
        {
            freed += SizeOf(Key, _versions[i].Value);
        }
        _versions.RemoveRange(0, keepFrom);
        return freed;
    }

    /// <summary>What a version weighs against the store's limit: its bytes and the objects around them.</summary>
    public static long SizeOf(ByteString key, KeyValue? value) => 128 + key.Length + (value?.Value.Length ?? 0);
}
