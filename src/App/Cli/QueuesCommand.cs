using System.CommandLine;
using System.Text.Json;
using Hexcast.App.Client;

namespace Hexcast.App.Cli;

internal static class QueuesCommand
{
    public static Command Create(TimeProvider clock)
    {
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "queues", "What waits and what runs, by class, and the unfinished jobs.",
            "./hexcast queues",
            "./hexcast queues --json")
        {
            json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var client = server.Connect(parsed, clock);
            var raw = await client.QueuesRawAsync(cancel);
            if (output.Json)
            {
                output.Document(raw);
            }
            else
            {
                ClusterTables.Queues(output, raw.Deserialize<QueuesDocument>(Wire.Json)!, clock.GetUtcNow());
            }

            return ExitCode.Success;
        });
        return command;
    }
}
