using System.Reflection;

namespace Hexcast.Tidy;

/// <summary>The product's own assemblies, as the executable brings them.</summary>
internal static class Assemblies
{
    private static readonly string[] Shared =
        ["Contracts", "Grpc", "Platform", "Media", "Raft", "Coordination", "Tidy"];

    public static IReadOnlyList<Assembly> All { get; } =
    [
        .. Directory.EnumerateFiles(AppContext.BaseDirectory, "Hexcast.*.dll").Order(StringComparer.Ordinal)
            .Select(path => Assembly.Load(Path.GetFileNameWithoutExtension(path))),
    ];

    public static IEnumerable<Assembly> Roles => All.Where(a => !Shared.Contains(NameOf(a), StringComparer.Ordinal));

    public static string NameOf(Assembly assembly) => assembly.GetName().Name!["Hexcast.".Length..];
}
