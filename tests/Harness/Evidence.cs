using System.Text;

namespace Hexcast.Harness;

/// <summary>
/// What a run of the suite leaves for the search for leaked secrets (tests/Leaks): the log lines and spans of every
/// platform that it started, and every secret that it used. Only where HEXCAST_TEST_EVIDENCE names a folder.
/// </summary>
public static class Evidence
{
    public const string Variable = "HEXCAST_TEST_EVIDENCE";

    /// <summary>Shorter ones are found everywhere.</summary>
    private const int SecretFloor = 12;

    private static readonly Lock Turn = new();

    public static string? Folder { get; } =
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? folder : null;

    /// <summary>A token, a cookie, a key: must be in no log and in no trace.</summary>
    public static void Secret(string? text)
    {
        if (text?.Length >= SecretFloor)
        {
            Keep("secrets", Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));
        }
    }

    /// <summary>A line for the file of that kind, which is this process's own.</summary>
    public static void Keep(string kind, string line)
    {
        if (Folder is null)
        {
            return;
        }

        lock (Turn)
        {
            File.AppendAllText(Path.Combine(Folder, $"{kind}-{Environment.ProcessId}"), line + "\n");
        }
    }
}
