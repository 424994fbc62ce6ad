using System.ComponentModel.DataAnnotations;

namespace Hexcast.Platform.Tls;

/// <summary>Section <c>Tls</c>: with both files the HTTP port speaks TLS, without them it does not.</summary>
public sealed record TlsOptions : IValidatableObject
{
    /// <summary>PEM: the certificate, then those that lead to its root.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM: its private key.</summary>
    public string KeyFile { get; set; } = "";

    public bool IsOn() => CertificateFile.Length > 0;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (CertificateFile.Length > 0 != KeyFile.Length > 0)
        {
            yield return new ValidationResult(
                "needs the other of Tls:CertificateFile and Tls:KeyFile too.",
                [CertificateFile.Length > 0 ? nameof(KeyFile) : nameof(CertificateFile)]);
        }
    }
}
