using System.Text.Json;
using Hexcast.Harness.Otlp;

namespace Hexcast.Harness;

/// <summary>While evidence is kept, every platform of this process sends its traces to one receiver.</summary>
internal static class SuiteTraces
{
    private static readonly Lazy<Task<OtlpReceiver>> Receiver = new(OtlpReceiver.StartAsync);

    public static async Task<IReadOnlyDictionary<string, string>> SettingsAsync() => Evidence.Folder is null
        ? new Dictionary<string, string>()
        : new Dictionary<string, string> { ["Telemetry:OtlpEndpoint"] = (await Receiver.Value).Http };

    /// <summary>What lies in the data folder and is nobody's business: keys that sign, the administrator's token.
    /// </summary>
    public static void KeepSecretsOf(string dataFolder)
    {
        if (Evidence.Folder is null || !Directory.Exists(dataFolder))
        {
            return;
        }

        foreach (var file in Directory.EnumerateFiles(dataFolder, "*.token"))
        {
            Evidence.Secret(File.ReadAllText(file).Trim());
        }

        var keys = Path.Combine(dataFolder, "keys");
        foreach (var file in Directory.Exists(keys) ? Directory.GetFiles(keys, "*.json") : [])
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            Strings(document.RootElement).ForEach(Evidence.Secret);
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
