using System.CommandLine;
using System.Net;
using Hexcast.Platform.Cluster;

namespace Hexcast.App.Cli;

/// <summary>How nodes become a cluster: make one, let others in, join.</summary>
internal static class ClusterCommand
{
    private const string FirstNode = "node-1";
    private const int MostUses = 100;

    private static readonly TimeSpan TokenTime = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestTokenTime = TimeSpan.FromDays(7);

    public static Command Create(TimeProvider clock) => new ExampledCommand(
        "cluster", "Several nodes as one platform: make a cluster, let nodes in, join; or try one out here.",
        "./hexcast cluster init --node node-1 --grpc 10.0.0.11:8081",
        "./hexcast cluster token",
        "./hexcast cluster join TOKEN --node node-2 --grpc 10.0.0.12:8081",
        "./hexcast cluster status",
        "./hexcast cluster up --workers 5")
    {
        Init(clock), Token(clock), Join(clock), ClusterMembersCommands.Status(clock),
        ClusterMembersCommands.Transfer(clock), ClusterMembersCommands.Remove(clock), ClusterRecoverCommand.Create(),
        ClusterUpCommand.Create(clock),
    };

    private static ExampledCommand Init(TimeProvider clock)
    {
        var (data, node) = (Data(), NodeOptions.Name("--node", "This node's name.", FirstNode));
        var (grpc, advertise, json) = (Grpc(), NodeOptions.Advertise(), SharedOptions.Json());
        var command = new ExampledCommand(
            "init", "Make a cluster: its own CA, and a certificate for this node, its first.",
            "./hexcast cluster init --node node-1 --grpc 10.0.0.11:8081",
            "./hexcast cluster init --data ./node-1 --grpc 10.0.0.11:8081 --json")
        {
            data, node, grpc, advertise, json,
        };
        command.SetAction(parsed =>
        {
            var folder = Path.GetFullPath(parsed.GetValue(data)!);
            using var held = RunningNode.Lock(folder);
            var made = Enrol.Found(
                folder, parsed.GetValue(node)!, parsed.GetValue(grpc)!, parsed.GetValue(advertise), clock);
            Tell(
                new Output(parsed.GetValue(json)), made,
                $"{made.Node} is the first node of the cluster {made.ClusterId}.",
                $"Start it:                   ./hexcast serve --data {parsed.GetValue(data)}",
                $"For each node to join it:   ./hexcast cluster token --data {parsed.GetValue(data)}",
                $"Keep a copy of {made.AuthorityKeyFile} in a safe place: nothing else lets nodes in.");
            if (Enrol.IsHere(made.Address))
            {
                Console.Error.WriteLine(
                    $"hexcast: only this machine reaches {made.Address}. For nodes on others make the cluster with "
                    + "--grpc ADDRESS:PORT: remove the folder cluster of the data folder, and begin again.");
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static ExampledCommand Token(TimeProvider clock)
    {
        var data = Data();
        var ttl = Duration.Option("--ttl", "How long it lets in; without it 1h, at most 7d");
        var uses = new Option<int>("--uses")
        {
            Description = $"Nodes that it lets in, 1 to {MostUses}.",
            DefaultValueFactory = _ => 1,
        };
        uses.Validators.Add(given =>
        {
            if (given.Tokens.SingleOrDefault() is { Value: var text } && (!int.TryParse(text, out var count)
                || count is < 1 or > MostUses))
            {
                given.AddError($"--uses {text}: give 1 to {MostUses}.");
            }
        });
        var at = new Option<string[]>("--at")
        {
            Description = "Where it is shown, host:port; several. Without it the node's own --grpc.",
            HelpName = "HOST:PORT",
        };
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "token", "Make a token that lets a node into the cluster. It is shown this once.",
            "./hexcast cluster token",
            "./hexcast cluster token --ttl 10m --uses 5",
            "./hexcast cluster token --json | jq -r .token")
        {
            data, ttl, uses, at, json,
        };
        command.SetAction(parsed =>
        {
            var output = new Output(parsed.GetValue(json));
            var time = parsed.GetValue(ttl) ?? TokenTime;
            if (time > LongestTokenTime)
            {
                throw new CliException(ExitCode.Usage, $"--ttl: at most {LongestTokenTime.TotalDays}d.");
            }

            var made = Enrol.Token(
                Path.GetFullPath(parsed.GetValue(data)!), time, parsed.GetValue(uses), parsed.GetValue(at) ?? [],
                clock);
            if (output.Json)
            {
                output.Document(new { token = made.Text, expires_at = made.Expires, uses = parsed.GetValue(uses) });
                return ExitCode.Success;
            }

            // Nothing but the token on standard output: JOIN=$(./hexcast cluster token).
            output.Say(made.Text);
            Console.Error.WriteLine(
                $"hexcast: lets in {parsed.GetValue(uses)} until {made.Expires:yyyy-MM-dd HH:mm} UTC: "
                + "./hexcast cluster join TOKEN --node NAME --grpc ADDRESS:PORT");
            return ExitCode.Success;
        });
        return command;
    }

    private static ExampledCommand Join(TimeProvider clock)
    {
        var token = new Argument<string>("TOKEN") { Description = "What cluster token has printed; - reads it." };
        var node = NodeOptions.Name("--node", "This node's name, which no other node of the cluster has.");
        node.Required = true;
        var (data, grpc, advertise, json) = (Data(), Grpc(), NodeOptions.Advertise(), SharedOptions.Json());
        var command = new ExampledCommand(
            "join", "Make this node one of a cluster. Its key is made here and stays here.",
            "./hexcast cluster join hxj_… --node node-2 --grpc 10.0.0.12:8081",
            "./hexcast cluster join - --data ./node-2 --node node-2 --grpc 10.0.0.12:8081 < token")
        {
            token, data, node, grpc, advertise, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var folder = Path.GetFullPath(parsed.GetValue(data)!);
            var text = parsed.GetValue(token)!;
            if (text == "-")
            {
                text = await Console.In.ReadLineAsync(cancel) ?? "";
            }

            await using var held = RunningNode.Lock(folder);
            var joined = await Enrol.JoinAsync(
                folder, text.Trim(), parsed.GetValue(node)!, parsed.GetValue(grpc)!, parsed.GetValue(advertise), clock,
                cancel);
            Tell(
                new Output(parsed.GetValue(json)), joined,
                [
                    $"{joined.Node} is a node of the cluster {joined.ClusterId}.",
                    .. ObjectsSetting(folder, parsed.GetValue(data)!),
                    $"Start it:   ./hexcast serve --target worker,master --data {parsed.GetValue(data)}",
                ]);
            return ExitCode.Success;
        });
        return command;
    }

    // Without it the node would keep its objects in its own data folder, where no other one finds them.
    private static string[] ObjectsSetting(string folder, string said)
    {
        const string setting = """{ "Objects": { "Place": "Node" } }""";
        var file = Path.Combine(folder, "hexcast.json");
        return File.Exists(file)
            ? [$"{Path.Combine(said, "hexcast.json")} has to say where objects are; with the first node: {setting}"]
            : [$"Objects:    echo '{setting}' > {Path.Combine(said, "hexcast.json")}"];
    }

    private static void Tell(Output output, ClusterIdentity identity, params string[] words)
    {
        Array.ForEach(words, output.Say);
        if (output.Json)
        {
            output.Document(new
            {
                cluster_id = identity.ClusterId, node = identity.Node, address = identity.Address,
                seeds = identity.Seeds,
            });
        }
    }

    private static Option<string> Data() => new("--data")
    {
        Description = "Data folder of this node.", DefaultValueFactory = _ => NodeOptions.DefaultData,
    };

    private static Option<IPEndPoint> Grpc() => NodeOptions.Endpoint(
        "--grpc", "Where this node listens for the others, who reach it there.", 8081);
}
