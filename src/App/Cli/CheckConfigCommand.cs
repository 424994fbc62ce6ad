using System.CommandLine;

namespace Hexcast.App.Cli;

internal static class CheckConfigCommand
{
    public static Command Create()
    {
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "check-config", "Say what is wrong in the configuration and the presets, and where. Starts nothing.",
            "./hexcast check-config",
            "./hexcast check-config --config hexcast.json",
            "HEXCAST__Worker__Slots=2 ./hexcast check-config")
        {
            json,
        };
        var node = new NodeOptions();
        node.AddTo(command);
        command.SetAction(parsed =>
        {
            var output = new Output(parsed.GetValue(json));
            var settings = node.Settings(parsed);
            var problems = ConfigurationCheck.Problems(settings, node.ConfigurationFile(parsed));
            if (output.Json)
            {
                output.Document(new { valid = problems.Count == 0, problems });
            }
            else
            {
                problems.ForEach(output.Say);
                output.Say(problems.Count == 0 ? "The configuration is well." : $"{problems.Count} wrong.");
            }

            return problems.Count == 0 ? ExitCode.Success : ExitCode.Usage;
        });
        return command;
    }
}
