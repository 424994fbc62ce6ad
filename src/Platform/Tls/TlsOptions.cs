using System.ComponentModel.DataAnnotations;

namespace Hexcast.Platform.Tls;

/// <summary>Section <c>Tls</c>: with both files the HTTP port speaks TLS, without them it does not.</summary>
public sealed record TlsOptions : IValidatableObject
{
    /// <summary>PEM: the certificate, then those that lead to its root.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM: its private key.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>
    /// How long a browser that was here over TLS comes back over TLS only (RFC 6797). Zero takes it back.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "730.00:00:00", ErrorMessage = "may be 00:00:00 to 730.00:00:00.")]
    public TimeSpan HstsMaxAge { get; set; } = TimeSpan.FromDays(30);

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
