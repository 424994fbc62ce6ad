using System.CommandLine;
using System.Text.Json;
using Hexcast.App.Client;

namespace Hexcast.App.Cli;

/// <summary>nodes and queues: each shows one document of the API as tables. nodes drain takes a node out of use.
/// </summary>
internal static class ClusterCommands
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public static Command Nodes(TimeProvider clock)
    {
        var nodes = Create(
            "nodes", "The nodes that run tasks: their load, and what they run now.", clock,
            (client, cancel) => client.NodesRawAsync(cancel),
            (output, raw) => ClusterTables.Nodes(
                output, raw.Deserialize<NodesDocument>(Wire.Json)!, clock.GetUtcNow()));
        nodes.Add(Drain(clock));
        nodes.Add(Undrain(clock));
        return nodes;
    }

    private static ExampledCommand Drain(TimeProvider clock)
    {
        var node = Node();
        var json = SharedOptions.Json();
        var after = new Option<int?>("--hand-back-after")
        {
            Description = "What it still runs after so many seconds goes to others. Without it: as the master is set.",
            HelpName = "SECONDS",
        };
        var wait = new Option<bool>("--wait") { Description = "End when it runs nothing more." };
        var command = new ExampledCommand(
            "drain", "Take a node out of use: it gets no more tasks, whoever is the master.",
            "./hexcast nodes drain encoder-2",
            "./hexcast nodes drain encoder-2 --hand-back-after 60 --wait")
        {
            node, after, wait, json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = server.Connect(parsed, clock);
            var name = parsed.GetValue(node)!;
            var raw = await client.DrainAsync(name, parsed.GetValue(after), cancel);
            var running = raw.Deserialize<DrainDocument>(Wire.Json)!.Running;
            var output = new Output(parsed.GetValue(json));
            output.Say($"{name} gets no more tasks. It runs {running}.");
            while (running > 0 && parsed.GetValue(wait))
            {
                await Task.Delay(LookAgain, clock, cancel);
                var nodes = (await client.NodesRawAsync(cancel)).Deserialize<NodesDocument>(Wire.Json)!.Nodes;
                running = nodes.FirstOrDefault(n => n.NodeId == name)?.Running.Count ?? 0;
            }

            if (parsed.GetValue(wait))
            {
                output.Say($"{name} runs nothing. Take it into use again: ./hexcast nodes undrain {name}");
            }

            if (output.Json)
            {
                output.Document(raw);
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static ExampledCommand Undrain(TimeProvider clock)
    {
        var node = Node();
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "undrain", "Take a drained node into use again.", "./hexcast nodes undrain encoder-2") { node, json };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = server.Connect(parsed, clock);
            var name = parsed.GetValue(node)!;
            var raw = await client.UndrainAsync(name, cancel);
            var output = new Output(parsed.GetValue(json));
            output.Say($"{name} is in use again.");
            if (output.Json)
            {
                output.Document(raw);
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static Argument<string> Node() => new("NODE") { Description = "The node's name, as nodes shows it." };

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
