using System.CommandLine;
using System.Text.Json;
using Hexcast.App.Client;

namespace Hexcast.App.Cli;

internal static class NodesCommand
{
    public static Command Create(TimeProvider clock)
    {
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "nodes", "The nodes that run tasks: their load, and what they run now.",
            "./hexcast nodes",
            "./hexcast nodes --json")
        {
            json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var client = server.Connect(parsed, clock);
            var raw = await client.NodesRawAsync(cancel);
            if (output.Json)
            {
                output.Document(raw);
            }
            else
            {
                ClusterTables.Nodes(output, raw.Deserialize<NodesDocument>(Wire.Json)!.Nodes, clock.GetUtcNow());
            }

            return ExitCode.Success;
        });
        return command;
    }
}
