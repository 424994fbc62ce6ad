using Hexcast.Media.Presets;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Errors;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Hexcast.Platform.Presets;

/// <summary>The presets of this installation, by file name: those shipped and those of the data folder.</summary>
public sealed class PresetCatalog
{
    public const string Default = "ladder_h264_aac";
    private const long FileSizeLimitBytes = 64 * 1024;

    private static readonly IDeserializer Yaml =
        new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).Build();

    private readonly Dictionary<string, (Preset Preset, string Text)> presets = new(StringComparer.Ordinal);

    /// <summary>Later folders win over earlier ones; folders that are not there are passed over.</summary>
    /// <exception cref="ConfigurationException">No folder has the default preset.</exception>
    public PresetCatalog(params IReadOnlyList<string> folders)
    {
        foreach (var file in folders.Where(Directory.Exists).SelectMany(f => Directory.GetFiles(f, "*.yaml").Order()))
        {
            presets[Path.GetFileNameWithoutExtension(file)] = Load(file);
        }

        if (!presets.ContainsKey(Default))
        {
            throw new ConfigurationException([
                $"The preset '{Default}', which is used where none is named, is in none of these folders: " +
                $"{string.Join(", ", folders)}. Install Hexcast again, or put {Default}.yaml into the last one."]);
        }
    }

    public IEnumerable<string> Names => presets.Keys.Order(StringComparer.Ordinal);

    /// <exception cref="HexcastException">unknown_preset, with the names there are.</exception>
    public Preset Get(string name) => Find(name).Preset;

    /// <summary>As it was written: what nodes that do not have it are given.</summary>
    /// <exception cref="HexcastException">unknown_preset, with the names there are.</exception>
    public string Text(string name) => Find(name).Text;

    public bool Has(string name) => presets.ContainsKey(name);

    /// <param name="name">Of the file, for messages.</param>
    /// <param name="text">YAML.</param>
    /// <exception cref="InvalidDataException">Says what is wrong, and where.</exception>
    public static Preset Parse(string name, string text)
    {
        if (text.Length > FileSizeLimitBytes)
        {
            throw new InvalidDataException($"{name}: larger than {FileSizeLimitBytes} bytes.");
        }

        Preset preset;
        try
        {
            preset = Yaml.Deserialize<Preset>(text);
        }
        catch (YamlDotNet.Core.YamlException bad)
        {
            throw new InvalidDataException(
                $"{name}:{bad.Start.Line}: {ForPeople(bad.InnerException?.Message ?? bad.Message)}", bad);
        }

        IReadOnlyList<string> problems = preset is null ? ["the file is empty"] : preset.Validate();
        return problems.Count == 0
            ? preset!
            : throw new InvalidDataException($"{name}: {string.Join("; ", problems)}");
    }

    private (Preset Preset, string Text) Find(string name) => presets.TryGetValue(name, out var preset)
        ? preset
        : throw new HexcastException(
            ErrorCodes.UnknownPreset, $"There is no preset '{name}'. There are: {string.Join(", ", Names)}.");

    private static (Preset Preset, string Text) Load(string file)
    {
        if (new FileInfo(file).Length > FileSizeLimitBytes)
        {
            throw new InvalidDataException($"{file}: larger than {FileSizeLimitBytes} bytes.");
        }

        var text = File.ReadAllText(file);
        return (Parse(file, text), text);
    }

    /// <summary>The reader names the class that it fills.</summary>
    private static string ForPeople(string message) => message.Split(" on type '")[0];
}
