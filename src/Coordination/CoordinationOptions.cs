using System.ComponentModel.DataAnnotations;

namespace Hexcast.Coordination;

public enum CoordinationMode
{
    /// <summary>This process holds the coordinator itself.</summary>
    Embedded,

    /// <summary>A real etcd 3.4 or later, which the nodes of a cluster share.</summary>
    Etcd,
}

/// <summary>Section <c>Coordination</c>.</summary>
public sealed record CoordinationOptions : IValidatableObject
{
    [EnumDataType(typeof(CoordinationMode), ErrorMessage = "may be Embedded or Etcd.")]
    public CoordinationMode Mode { get; set; } = CoordinationMode.Embedded;

    /// <summary>Addresses of etcd's members, as http(s)://host:port. Only read in mode Etcd.</summary>
    public string[] Endpoints { get; set; } = [];

    /// <summary>PEM: the authorities whose certificates etcd may show; empty: those that this machine trusts.</summary>
    public string AuthorityFile { get; set; } = "";

    /// <summary>PEM: the certificate that etcd is shown, then those that lead to its root; empty: none.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM: its private key.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>The user of etcd as which this node logs in; empty: the certificate says who it is, or nobody asks.
    /// </summary>
    public string User { get; set; } = "";

    /// <summary>Its password. Secret: by the environment, or better in a file.</summary>
    public string Password { get; set; } = "";

    /// <summary>A file with the password; the end of a line after it does not count.</summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>Embedded: other nodes may join this one's group.</summary>
    public bool Cluster { get; set; }

    /// <summary>Embedded: gRPC addresses, host:port, of nodes whose group this one joins. Empty: it begins one.
    /// </summary>
    public string[] Join { get; set; } = [];

    /// <summary>Embedded: nodes that vote, as soon as so many are there. The others ask them.</summary>
    [Range(1, 5, ErrorMessage = "may be 1, 3 or 5 voters.")]
    public int Voters { get; set; } = 3;

    /// <summary>Embedded: milliseconds for which a leader may say nothing before another one stands; at random up to
    /// twice as many. The same on all nodes.</summary>
    [Range(100, 10_000, ErrorMessage = "may be 100 to 10000 milliseconds.")]
    public int ElectionTimeoutMilliseconds { get; set; } = 150;

    /// <summary>Embedded: entries of the log after which a snapshot replaces them.</summary>
    [Range(100, 1_000_000, ErrorMessage = "may be 100 to 1000000 entries.")]
    public int SnapshotEntries { get; set; } = 10_000;

    /// <summary>Revisions that a watch can go back before it gets a snapshot instead; embedded, no more than 16 MiB of
    /// changes.</summary>
    [Range(1_000, 1_000_000, ErrorMessage = "may be 1000 to 1000000 revisions.")]
    public int HistoryRevisions { get; set; } = 10_000;

    /// <summary>Embedded: MiB that keys, values and their history may take; beyond it writes are refused.</summary>
    [Range(16, 16_384, ErrorMessage = "may be 16 to 16384 MiB.")]
    public int MaximumStoreMebibytes { get; set; } = 512;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Mode == CoordinationMode.Etcd && Endpoints.Length == 0)
        {
            yield return new ValidationResult(
                "must name at least one http://host:port in mode Etcd.", [nameof(Endpoints)]);
        }
        if (Voters % 2 == 0)
        {
            yield return new ValidationResult("may be 1, 3 or 5 voters.", [nameof(Voters)]);
        }
        if (!Join.All(address => IsAddress($"http://{address}") && address.Contains(':', StringComparison.Ordinal)))
        {
            yield return new ValidationResult("must each be host:port.", [nameof(Join)]);
        }
        if (!Endpoints.All(IsAddress))
        {
            yield return new ValidationResult(
                "must each be http://host:port or https://host:port.", [nameof(Endpoints)]);
        }
        if (AuthorityFile.Length + CertificateFile.Length > 0
            && Endpoints.Any(endpoint => !endpoint.StartsWith("https://", StringComparison.OrdinalIgnoreCase)))
        {
            yield return new ValidationResult(
                "must each be https://host:port where certificates are named.", [nameof(Endpoints)]);
        }
        if (CertificateFile.Length > 0 != KeyFile.Length > 0)
        {
            yield return new ValidationResult(
                "needs the other of Coordination:CertificateFile and Coordination:KeyFile too.",
                [CertificateFile.Length > 0 ? nameof(KeyFile) : nameof(CertificateFile)]);
        }
        if (Password.Length > 0 && PasswordFile.Length > 0)
        {
            yield return new ValidationResult(
                "stands beside Coordination:Password: only one of them counts.", [nameof(PasswordFile)]);
        }
        if (User.Length > 0 && Endpoints.Any(IsInTheClear))
        {
            yield return new ValidationResult(
                "must each be https://host:port where a password goes to another machine.", [nameof(Endpoints)]);
        }
        if (User.Length > 0 != Password.Length + PasswordFile.Length > 0)
        {
            yield return new ValidationResult(
                User.Length > 0
                    ? "needs its password: Coordination:PasswordFile or Coordination:Password."
                    : "has to say whose password that is.",
                [nameof(User)]);
        }
    }

    /// <summary>Not as a record prints itself: one of these is a password.</summary>
    public override string ToString() => nameof(CoordinationOptions);

    private static bool IsInTheClear(string endpoint) =>
        Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme == "http" && !uri.IsLoopback;

    private static bool IsAddress(string endpoint) =>
        Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
        && uri is { UserInfo: "", PathAndQuery: "/" };
}
