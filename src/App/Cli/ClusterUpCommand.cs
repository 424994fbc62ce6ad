using System.CommandLine;
using Hexcast.App.Local;
using Hexcast.Platform.Access;

namespace Hexcast.App.Cli;

/// <summary>cluster up: several nodes on this machine, for trying out.</summary>
internal static class ClusterUpCommand
{
    private const int MostWorkers = 20;
    private const int Workers = 5;

    public static Command Create(TimeProvider clock)
    {
        var workers = new Option<int>("--workers")
        {
            Description = $"Nodes that work, 1 to {MostWorkers}, besides the one with the pages.",
            DefaultValueFactory = _ => Workers,
        };
        workers.Validators.Add(given =>
        {
            if (given.Tokens.SingleOrDefault() is { Value: var text } && (!int.TryParse(text, out var count)
                || count is < 1 or > MostWorkers))
            {
                given.AddError($"--workers {text}: give 1 to {MostWorkers}.");
            }
        });
        var data = new Option<string>("--data")
        {
            Description = "Folder of the nodes' data folders.", DefaultValueFactory = _ => "./cluster",
        };
        var http = NodeOptions.Endpoint(
            "--http", "Address of the first node's pages; the other nodes' ports follow it, two each.", 8080);
        var free = new Option<bool>("--free-ports") { Description = "Take any free ports instead." };
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "up", "Start a cluster of several nodes on this machine, for trying out, and stop it with Ctrl-C.",
            "./hexcast cluster up",
            "./hexcast cluster up --workers 2 --data /tmp/try --free-ports")
        {
            workers, data, http, free, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var folder = Path.GetFullPath(parsed.GetValue(data)!);
            Directory.CreateDirectory(folder);
            await using var held = RunningNode.Lock(folder);
            output.Say($"starting {parsed.GetValue(workers) + 1} nodes; their data is below {folder}");
            await using var cluster = await LocalCluster.StartAsync(
                new LocalClusterPlan(
                    folder, parsed.GetValue(workers), parsed.GetValue(http)!, parsed.GetValue(free)),
                clock, output.Say, cancel);
            Tell(output, cluster);
            try
            {
                await cluster.FollowAsync(cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                output.Say("stopping: first those that work");
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static void Tell(Output output, LocalCluster cluster)
    {
        var (front, address) = (cluster.Front.Plan, $"http://{cluster.Front.Plan.Http}");
        if (output.Json)
        {
            output.Document(new
            {
                address,
                nodes = cluster.Nodes.Select(node => new
                {
                    node = node.Plan.Name, roles = node.Plan.Roles.Split(','), http = $"http://{node.Plan.Http}",
                    grpc = node.Plan.Grpc.ToString(), process = node.ProcessId, data = node.Plan.Folder,
                    log = node.LogFile,
                }),
            });
        }

        var table = new Columns("node", "roles", "http", "grpc", "process");
        foreach (var node in cluster.Nodes)
        {
            table.Add(
                node.Plan.Name, node.Plan.Roles, $"http://{node.Plan.Http}", node.Plan.Grpc.ToString(),
                $"{node.ProcessId}");
        }

        output.Words.Write(table);
        output.Say($"Serving on {address}: sign in with the token in {AdminToken.PathIn(front.Folder)}");
        output.Say($"Upload:  HEXCAST_URL={address} ./hexcast upload --data {front.Folder} --watch FILE");
        output.Say("Kill a process and see what happens. Ctrl-C stops all; starting again finds everything.");
    }
}
