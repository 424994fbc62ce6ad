using System.CommandLine;
using Hexcast.Platform.Configuration;

namespace Hexcast.App.Cli;

internal static class CheckConfigCommand
{
    public static Command Create()
    {
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "check-config",
            "Say what is wrong in the configuration and the presets, and where; asks etcd, if it is to be used. "
            + "Starts nothing.",
            "./hexcast check-config",
            "./hexcast check-config --config hexcast.json",
            "HEXCAST__Worker__Slots=2 ./hexcast check-config")
        {
            json,
        };
        var node = new NodeOptions();
        node.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var settings = node.Settings(parsed);
            var problems = await ConfigurationCheck.TryAsync(
                settings, node.ConfigurationFile(parsed), TimeProvider.System, cancel);
            if (output.Json)
            {
                output.Document(new { valid = problems.Count == 0, problems });
            }
            else
            {
                problems.ForEach(output.Say);
                output.Say(problems.Count == 0
                    ? $"Nothing is wrong ({Sources(settings.DataFolder, node.ConfigurationFile(parsed))})."
                    : $"Wrong: {problems.Count}.");
            }

            return problems.Count == 0 ? ExitCode.Success : ExitCode.Usage;
        });
        return command;
    }

    /// <summary>So that nobody believes a file to be right that was not read.</summary>
    private static string Sources(string dataFolder, string? file)
    {
        var path = ConfigurationSources.PathOf(dataFolder, file);
        return File.Exists(path) ? $"{path} and HEXCAST__… variables"
            : $"there is no {path}: HEXCAST__… variables and defaults";
    }
}
