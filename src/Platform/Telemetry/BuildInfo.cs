using System.Reflection;

namespace Hexcast.Platform.Telemetry;

/// <summary>Which build this is. The commit is empty where it was built outside a checkout.</summary>
internal sealed record BuildInfo(string Version, string Commit)
{
    public static BuildInfo Current { get; } = Read(
        typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion);

    // "1.0.0+3f2a…"
    private static BuildInfo Read(string? informational)
    {
        var parts = (informational ?? "").Split('+', 2);
        return new BuildInfo(parts[0], parts.ElementAtOrDefault(1) ?? "");
    }
}
