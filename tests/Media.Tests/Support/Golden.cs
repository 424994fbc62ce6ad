using System.Runtime.CompilerServices;

namespace Hexcast.Media.Tests.Support;

/// <summary>Compares with a file in <c>golden/</c>; HEXCAST_REWRITE_GOLDEN=1 writes it instead.</summary>
internal static class Golden
{
    public static void ShouldMatch(string actual, string name, [CallerFilePath] string caller = "")
    {
        var root = Path.GetDirectoryName(Path.GetDirectoryName(caller))!;
        var path = Path.Combine(root, "golden", name);
        if (Environment.GetEnvironmentVariable("HEXCAST_REWRITE_GOLDEN") == "1")
        {
            File.WriteAllText(path, actual);
        }
        actual.ShouldBe(File.ReadAllText(path), $"golden/{name} differs; HEXCAST_REWRITE_GOLDEN=1 rewrites it");
    }
}
