using System.CommandLine;
using System.Globalization;
using Hexcast.Contracts.V1;

namespace Hexcast.App.Cli;

/// <summary>cluster status, remove and transfer: said to a node, by the node of the data folder.</summary>
internal static class ClusterMembersCommands
{
    public static Command Status(TimeProvider clock)
    {
        var (reach, json) = (new NodeReach(), SharedOptions.Json());
        var command = new ExampledCommand(
            "status", "The nodes, who of them votes, leads and is the master.",
            "./hexcast cluster status",
            "./hexcast cluster status --json | jq .master")
        {
            json,
        };
        reach.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var cluster = await reach.AskAsync(
                parsed, clock, (node, call) => node.DescribeClusterAsync(new DescribeClusterRequest(), call), cancel);
            Tell(new Output(parsed.GetValue(json)), cluster);
            return ExitCode.Success;
        });
        return command;
    }

    public static Command Remove(TimeProvider clock)
    {
        var name = new Argument<string>("NODE") { Description = "Its name. It does not come back by this name." };
        var reach = new NodeReach();
        var command = new ExampledCommand(
            "remove", "Take a node out of the cluster for good: it votes no more, and its certificate counts nowhere.",
            "./hexcast cluster remove node-3")
        {
            name,
        };
        reach.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var request = new RemoveNodeRequest { Node = parsed.GetValue(name) };
            await reach.AskAsync(parsed, clock, (node, call) => node.RemoveNodeAsync(request, call), cancel);
            new Output(json: false).Say($"{request.Node} is out of the cluster.");
            return ExitCode.Success;
        });
        return command;
    }

    public static Command Transfer(TimeProvider clock)
    {
        var name = new Argument<string?>("NODE")
        {
            Description = "Who is to be the master. Without it whoever has most of the log.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var reach = new NodeReach();
        var command = new ExampledCommand(
            "transfer", "Hand the mastership over, as before a node is stopped.",
            "./hexcast cluster transfer",
            "./hexcast cluster transfer node-2")
        {
            name,
        };
        reach.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var request = new TransferLeadershipRequest { Node = parsed.GetValue(name) ?? "" };
            var done = await reach.AskAsync(
                parsed, clock, (node, call) => node.TransferLeadershipAsync(request, call), cancel);
            new Output(json: false).Say($"{done.Node} leads now.");
            return ExitCode.Success;
        });
        return command;
    }

    private static void Tell(Output output, DescribeClusterResponse cluster)
    {
        var leader = cluster.Members.FirstOrDefault(member => member.Id == cluster.Leader)?.Node;
        if (output.Json)
        {
            output.Document(new
            {
                master = Named(cluster.Master), leader, term = cluster.Term, answered_by = cluster.AnsweredBy,
                members = cluster.Members.Select(member => new
                {
                    node = member.Node, id = member.Id.ToString("x16", CultureInfo.InvariantCulture),
                    address = member.Address, votes = member.IsVoter,
                    behind = Behind(cluster, member),
                }),
                nodes = cluster.Nodes.Select(node => new
                {
                    node = node.Node, address = node.Address, roles = node.Roles,
                }),
            });
            return;
        }

        var table = new Columns("node", "address", "coordinator", "roles");
        var names = cluster.Nodes.Select(node => node.Node).Union(cluster.Members.Select(member => member.Node));
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            var node = cluster.Nodes.FirstOrDefault(node => node.Node == name);
            var member = cluster.Members.FirstOrDefault(member => member.Node == name);
            table.Add(
                name, node?.Address ?? member!.Address,
                member is null ? "-" : WordsOf(cluster, member),
                node is null ? "not there" : string.Join(',', node.Roles));
        }

        output.Words.Write(table);
        output.Say(cluster.Master.Length > 0 ? $"{cluster.Master} is the master." : "No node is the master now.");
    }

    private static string WordsOf(DescribeClusterResponse cluster, GroupMember member) =>
        (member.Id == cluster.Leader ? $"leads term {cluster.Term}" : member.IsVoter ? "votes" : "learns")
        + (Behind(cluster, member) is > 0 and var behind ? $", {behind} entries behind" : "");

    private static long? Behind(DescribeClusterResponse cluster, GroupMember member) =>
        member.HasMatchIndex && cluster.LastIndex > 0 ? (long)(cluster.LastIndex - member.MatchIndex) : null;

    private static string? Named(string name) => name.Length > 0 ? name : null;
}
