using System.Collections.Concurrent;

namespace Hexcast.Harness;

/// <summary>
/// What this process was answered: operation and status. A whole run of the tests gathers them in the folder that
/// HEXCAST_ANSWERS names, and asks at its end what of the document was never seen.
/// </summary>
internal static class AnswersSeen
{
    private const string FolderVariable = "HEXCAST_ANSWERS";
    private static readonly ConcurrentDictionary<string, bool> Seen = new(StringComparer.Ordinal);

    static AnswersSeen()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder)
        {
            AppDomain.CurrentDomain.ProcessExit += (_, _) =>
                File.WriteAllLines(Path.Combine(folder, $"{Environment.ProcessId}.seen"), Seen.Keys);
        }
    }

    public static void Add(string operation, string status) => Seen.TryAdd($"{operation} {status}", true);
}
