using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hexcast.Platform.Hosting;

namespace Hexcast.Platform.Cluster;

/// <summary>
/// What a certificate calls its node: the one URI among its alternative names,
/// <c>hexcast://{cluster_id}/node/{name}</c>.
/// </summary>
internal static class NodeNames
{
    /// <summary>uniformResourceIdentifier [6] of a GeneralName (RFC 5280, 4.2.1.6).</summary>
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    public static Uri UriOf(string clusterId, string node) => new($"hexcast://{clusterId}/node/{node}");

    /// <summary>Null: it names no node of that cluster.</summary>
    public static string? Of(X509Certificate2 certificate, string clusterId)
    {
        var prefix = UriOf(clusterId, "").OriginalString;
        return Uris(certificate) is [var uri] && uri.StartsWith(prefix, StringComparison.Ordinal)
            && uri[prefix.Length..] is var name && NodeSettings.IsName(name)
            ? name : null;
    }

    // .NET names the addresses and hosts of the extension, and passes over its URIs.
    private static List<string> Uris(X509Certificate2 certificate)
    {
        var uris = new List<string>();
        try
        {
            foreach (var extension in certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>())
            {
                var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
                while (names.HasData)
                {
                    if (names.PeekTag().HasSameClassAndValue(UriTag))
                    {
                        uris.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, UriTag));
                    }
                    else
                    {
                        names.ReadEncodedValue();
                    }
                }
            }
        }
        catch (Exception malformed) when (malformed is AsnContentException or CryptographicException)
        {
            return [];
        }

        return uris;
    }
}
