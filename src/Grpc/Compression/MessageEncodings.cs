using System.IO.Compression;
using Grpc.Wire;

namespace Grpc.Net.Compression;

/// <summary>The encodings that one side understands, and the list of them that it shows its peers.</summary>
sealed class MessageEncodings
{
    readonly Dictionary<string, ICompressionProvider> _providers = new(StringComparer.Ordinal);

    public MessageEncodings(IEnumerable<ICompressionProvider> providers)
    {
        foreach (var provider in providers)
            _providers.Add(provider.EncodingName, provider);
        AcceptList = string.Join(',', _providers.Keys.Prepend(GrpcHeaders.Identity));
    }

    public static IList<ICompressionProvider> DefaultProviders =>
        [new GzipCompressionProvider(CompressionLevel.Fastest)];

    /// <summary>The value of grpc-accept-encoding.</summary>
    public string AcceptList { get; }

    /// <summary>True with no provider for identity; false where the encoding is not understood.</summary>
    public bool TryGet(string encoding, out ICompressionProvider? provider) =>
        _providers.TryGetValue(encoding, out provider) || encoding is "" or GrpcHeaders.Identity;

    /// <summary>The provider that somebody on this side asked for by name; null for identity.</summary>
    public ICompressionProvider? Require(string encoding) => TryGet(encoding, out var provider)
        ? provider
        : throw new InvalidOperationException(
            $"No compression provider is registered for \"{encoding}\": the encodings here are {AcceptList}.");

    /// <summary>Whether a peer's grpc-accept-encoding names the encoding.</summary>
    public static bool Lists(string acceptList, string encoding)
    {
        foreach (var range in acceptList.AsSpan().Split(','))
        {
            if (acceptList.AsSpan()[range].Trim().SequenceEqual(encoding))
                return true;
        }

        return false;
    }
}
