using System.Reflection;
using Google.Protobuf.Reflection;
using Grpc.Health.V1;
using Hexcast.Contracts.V1;

namespace Hexcast.Platform.Calls;

/// <summary>The methods that nodes serve, whichever roles they have: those of the contracts, of etcd and gRPC's own.
/// </summary>
internal static class KnownMethods
{
    /// <summary>What reflection answers to by its older name, of which there is no descriptor.</summary>
    private const string OldReflection = "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

    /// <summary>How many names a person gets to choose from.</summary>
    private const int NearCount = 3;

    /// <summary>As "package.Service/Method".</summary>
    public static IReadOnlySet<string> Names { get; } =
        new[] { typeof(Transcoder).Assembly, typeof(Health).Assembly }
            .SelectMany(assembly => assembly.GetExportedTypes())
            .Select(type => type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static))
            .Where(property => property?.PropertyType == typeof(ServiceDescriptor))
            .SelectMany(property => ((ServiceDescriptor)property!.GetValue(null)!).Methods)
            .Select(method => $"{method.Service.FullName}/{method.Name}")
            .Append(OldReflection)
            .ToHashSet(StringComparer.Ordinal);

    /// <summary>Those that one may have meant, the likeliest first.</summary>
    public static IEnumerable<string> Near(string name) => Names
        .OrderBy(known => Distance(name.ToUpperInvariant(), known.ToUpperInvariant()))
        .ThenBy(known => known, StringComparer.Ordinal)
        .Take(NearCount);

    // Levenshtein's: letters to put in, to leave out or to change.
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 0; i < one.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 0; j < other.Length; j++)
            {
                var changed = diagonal + (one[i] == other[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(changed, 1 + Math.Min(row[j], row[j + 1]));
            }
        }

        return row[^1];
    }
}
