using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;

namespace Grpc.AspNetCore.Server;

/// <summary>The caller's certificate as the properties that gRPC names.</summary>
static class PeerCertificate
{
    const string AlternativeName = "x509_subject_alternative_name";
    const string CommonName = "x509_common_name";

    static readonly AuthContext Unauthenticated = new(null, []);

    /// <summary>Its identity is what the certificate calls its owner: alternative names, or the common one.</summary>
    public static AuthContext ToAuthContext(X509Certificate2? certificate)
    {
        if (certificate is null)
            return Unauthenticated;

        var properties = new Dictionary<string, List<AuthProperty>>(StringComparer.Ordinal);
        foreach (var extension in certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>())
        {
            foreach (var name in extension.EnumerateDnsNames())
                Add(AlternativeName, name);
            foreach (var address in extension.EnumerateIPAddresses())
                Add(AlternativeName, address.ToString());
        }

        if (certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } common)
            Add(CommonName, common);
        string? identity = properties.ContainsKey(AlternativeName) ? AlternativeName
            : properties.ContainsKey(CommonName) ? CommonName
            : null;
        return new AuthContext(identity, properties);

        void Add(string property, string value)
        {
            if (!properties.TryGetValue(property, out var values))
                properties[property] = values = [];
            values.Add(AuthProperty.Create(property, Encoding.UTF8.GetBytes(value)));
        }
    }
}
