using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Hexcast.Platform.Access;

/// <summary>Section <c>Access</c>.</summary>
public sealed record AccessOptions : IValidatableObject
{
    /// <summary>Listen beyond this machine without TLS: something else protects the connection.</summary>
    public bool AllowPlainHttp { get; set; }

    /// <summary>Let other machines reach what roles say to each other, which asks for no credential.</summary>
    public bool AllowOpenGrpc { get; set; }

    /// <summary>
    /// Addresses or networks (10.0.0.0/8) of reverse proxies: only what they say in X-Forwarded-For and -Proto counts.
    /// </summary>
    public string[] TrustedProxies { get; set; } = [];

    /// <summary>A session that nobody uses for so long ends. Default 12 h; 5 min to 30 days.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "30.00:00:00", ErrorMessage = "may be 00:05:00 to 30.00:00:00.")]
    public TimeSpan SessionIdle { get; set; } = TimeSpan.FromHours(12);

    /// <summary>A session ends after so long however much it is used. Default 7 days; 5 min to 90 days.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "90.00:00:00", ErrorMessage = "may be 00:05:00 to 90.00:00:00.")]
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>MiB of audit log that are kept; the oldest files go first. Default 256; 16 to 65,536.</summary>
    [Range(16, 65_536, ErrorMessage = "may be 16 to 65536 MiB.")]
    public int AuditMebibytes { get; set; } = 256;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!TrustedProxies.All(proxy => IPNetwork.TryParse(proxy, out _) || IPAddress.TryParse(proxy, out _)))
        {
            yield return new ValidationResult(
                "must each be an address or a network, like 192.0.2.7 or 10.0.0.0/8.", [nameof(TrustedProxies)]);
        }

        if (SessionIdle > SessionLifetime)
        {
            yield return new ValidationResult(
                $"may be at most SessionLifetime, which is {SessionLifetime}.", [nameof(SessionIdle)]);
        }
    }
}
