using System.Text;
using System.Text.Json;

namespace Hexcast.Harness;

/// <summary>
/// What a run of the suite leaves for the search for leaked secrets (tests/Leaks): the log lines, the spans, the audit
/// entries and the words on standard error of every platform that it started, and every secret that it used.
/// Only where HEXCAST_TEST_EVIDENCE names a folder.
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

    /// <summary>
    /// What lies in the data folder and is nobody's business: keys that sign, the administrator's token. And its audit
    /// log, in which neither may stand.
    /// </summary>
    public static void KeepDataFolder(string dataFolder)
    {
        if (Folder is null || !Directory.Exists(dataFolder))
        {
            return;
        }

        var audit = Path.Combine(dataFolder, "audit");
        foreach (var file in Directory.Exists(audit) ? Directory.GetFiles(audit, "*.jsonl") : [])
        {
            Keep("audit", File.ReadAllText(file).TrimEnd('\n'));
        }

        foreach (var file in Directory.EnumerateFiles(dataFolder, "*.token"))
        {
            Secret(File.ReadAllText(file).Trim());
        }

        var keys = Path.Combine(dataFolder, "keys");
        foreach (var file in Directory.Exists(keys) ? Directory.GetFiles(keys, "*.json") : [])
        {
            Strings(File.ReadAllText(file)).ForEach(Secret);
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

    private static List<string> Strings(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return Strings(document.RootElement);
        }
        catch (JsonException)
        {
            // A test has damaged it on purpose.
            return [json.Trim()];
        }
    }

    // A key file holds ids and times beside its keys; all of them may stand in no log, but for what is short.
    private static List<string> Strings(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element.GetString()!],
        JsonValueKind.Array => [.. element.EnumerateArray().SelectMany(Strings)],
        JsonValueKind.Object => [.. element.EnumerateObject().SelectMany(property => Strings(property.Value))],
        _ => [],
    };
}
