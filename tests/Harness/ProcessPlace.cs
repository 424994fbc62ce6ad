namespace Hexcast.Harness;

/// <summary>Where a process runs.</summary>
/// <param name="Address">That it listens on.</param>
/// <param name="Prefix">Words before its command; each program of them replaces itself by the next.</param>
/// <param name="Environment">What it has beside ours.</param>
public sealed record ProcessPlace(
    string Address, IReadOnlyList<string> Prefix, IReadOnlyDictionary<string, string> Environment)
{
    public static ProcessPlace Here { get; } = new("127.0.0.1", [], new Dictionary<string, string>());
}
