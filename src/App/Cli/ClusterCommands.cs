using System.CommandLine;
using System.Text.Json;
using Hexcast.App.Client;

namespace Hexcast.App.Cli;

/// <summary>nodes and queues: each shows one document of the API as tables.</summary>
internal static class ClusterCommands
{
    public static Command Nodes(TimeProvider clock) => Create(
        "nodes", "The nodes that run tasks: their load, and what they run now.", clock,
        (client, cancel) => client.NodesRawAsync(cancel),
        (output, raw) => ClusterTables.Nodes(
            output, raw.Deserialize<NodesDocument>(Wire.Json)!.Nodes, clock.GetUtcNow()));

    public static Command Queues(TimeProvider clock) => Create(
        "queues", "What waits and what runs, by class, and the unfinished jobs.", clock,
        (client, cancel) => client.QueuesRawAsync(cancel),
        (output, raw) => ClusterTables.Queues(
            output, raw.Deserialize<QueuesDocument>(Wire.Json)!, clock.GetUtcNow()));

    private static ExampledCommand Create(
        string name, string description, TimeProvider clock,
        Func<HexcastClient, CancellationToken, Task<JsonElement>> ask, Action<Output, JsonElement> show)
    {
        var json = SharedOptions.Json();
        var command = new ExampledCommand(name, description, $"./hexcast {name}", $"./hexcast {name} --json") { json };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var client = server.Connect(parsed, clock);
            var raw = await ask(client, cancel);
            if (output.Json)
            {
                output.Document(raw);
            }
            else
            {
                show(output, raw);
            }

            return ExitCode.Success;
        });
        return command;
    }
}
