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

    /// <summary>Addresses of etcd's members, as http://host:port. Only read in mode Etcd.</summary>
    public string[] Endpoints { get; set; } = [];

    /// <summary>Embedded: entries of the log after which a snapshot replaces them.</summary>
    [Range(100, 1_000_000, ErrorMessage = "may be 100 to 1000000 entries.")]
    public int SnapshotEntries { get; set; } = 10_000;

    /// <summary>Embedded: revisions that a watch can go back before it gets a snapshot instead.</summary>
    [Range(1_000, 1_000_000, ErrorMessage = "may be 1000 to 1000000 revisions.")]
    public int HistoryRevisions { get; set; } = 10_000;

    /// <summary>Embedded: MiB that keys, values and their history may take; beyond it writes are refused.</summary>
    [Range(16, 1_024, ErrorMessage = "may be 16 to 1024 MiB.")]
    public int MaximumStoreMebibytes { get; set; } = 512;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Mode == CoordinationMode.Etcd && Endpoints.Length == 0)
        {
            yield return new ValidationResult(
                "must name at least one http://host:port in mode Etcd.", [nameof(Endpoints)]);
        }
        if (!Endpoints.All(endpoint => Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme == "http"))
        {
            yield return new ValidationResult("must each be http://host:port.", [nameof(Endpoints)]);
        }
    }
}
