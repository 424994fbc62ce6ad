using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Hexcast.Playback.Manifests;

/// <summary>
/// A manifest made once and served often. Its text is cut where a URI's query goes, so that a viewer's token costs a
/// copy and no rendering.
/// </summary>
internal sealed class ManifestBytes
{
    /// <summary>Stands for the token while a manifest is rendered. It needs no escaping in a URI, nor in XML.</summary>
    private const string TokenMark = "__hexcast_token__";

    /// <summary>What the renderer appends to each URI.</summary>
    public const string MarkedQuery = "?token=" + TokenMark;

    private readonly byte[] plain;
    private readonly string mark;

    /// <summary>Lengths of the runs of <see cref="plain"/> that a query follows; the rest follows the last.</summary>
    private readonly int[] runs;

    /// <param name="marked">The manifest with <see cref="MarkedQuery"/> after each URI.</param>
    public ManifestBytes(string contentType, string marked)
    {
        var pieces = marked.Split(MarkedQuery);
        ContentType = contentType;
        plain = Encoding.UTF8.GetBytes(string.Concat(pieces));
        runs = [.. pieces.SkipLast(1).Select(Encoding.UTF8.GetByteCount)];
        mark = MarkOf(plain);
    }

    public string ContentType { get; }

    /// <summary>
    /// Another for each token: a cache that leaves the query out of its keys would be told that one viewer's copy,
    /// with that viewer's token in it, is good for the next.
    /// </summary>
    public string ETagWith(string? token) =>
        token is null ? $"\"{mark}\"" : $"\"{mark}-{MarkOf(Encoding.ASCII.GetBytes(token))}\"";

    public long LengthWith(string? token) =>
        plain.Length + (token is null ? 0L : (long)runs.Length * (QueryName.Length + token.Length));

    /// <param name="token">A verified token, thus ASCII without reserved characters; null leaves the URIs bare.</param>
    public void WriteTo(IBufferWriter<byte> output, string? token)
    {
        var rest = plain.AsSpan();
        if (token is not null)
        {
            Span<byte> query = stackalloc byte[QueryName.Length + Tokens.PlaybackTokens.LengthLimit];
            QueryName.CopyTo(query);
            query = query[..(QueryName.Length + Encoding.ASCII.GetBytes(token, query[QueryName.Length..]))];
            foreach (var run in runs)
            {
                output.Write(rest[..run]);
                output.Write(query);
                rest = rest[run..];
            }
        }

        output.Write(rest);
    }

    private static string MarkOf(byte[] bytes) => Base64Url.EncodeToString(SHA256.HashData(bytes).AsSpan(0, 12));

    private static ReadOnlySpan<byte> QueryName => "?token="u8;
}
