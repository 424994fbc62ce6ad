using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace Hexcast.Platform.Configuration;

/// <summary>Where options come from, the later over the earlier: hexcast.json, then HEXCAST__Section__Key.</summary>
public static class ConfigurationSources
{
    public const string FileName = "hexcast.json";
    private const string EnvironmentPrefix = "HEXCAST__";

    /// <param name="file">The file that was asked for by name; null takes the data folder's, if there is one.</param>
    /// <exception cref="ConfigurationException">The file is not there or is no JSON.</exception>
    public static IConfiguration Load(string dataFolder, string? file)
    {
        var path = PathOf(dataFolder, file);
        try
        {
            return new ConfigurationBuilder()
                .AddJsonFile(path, optional: file is null, reloadOnChange: false)
                .AddEnvironmentVariables(EnvironmentPrefix)
                .Build();
        }
        catch (FileNotFoundException)
        {
            throw new ConfigurationException([$"{path} is not there."]);
        }
        catch (InvalidDataException bad)
        {
            throw new ConfigurationException([$"{path}{Place(bad.GetBaseException())}"]);
        }
    }

    /// <summary>JSON counts lines from 0, and says so behind its message; people count from 1.</summary>
    private static string Place(Exception bad) => bad is JsonException { LineNumber: { } line }
        ? $":{line + 1}: {bad.Message.Split(" LineNumber:")[0]}"
        : $": {bad.Message}";

    /// <summary>The file that is read, where there is one.</summary>
    public static string PathOf(string dataFolder, string? file) =>
        Path.GetFullPath(file ?? Path.Combine(dataFolder, FileName));
}
