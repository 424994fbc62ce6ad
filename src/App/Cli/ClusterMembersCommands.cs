using System.CommandLine;
using System.Globalization;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Discovery;
using Hexcast.Platform.Cluster;
using Spectre.Console;

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
        var (reach, json) = (new NodeReach(), SharedOptions.Json());
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var force = new Option<bool>("--force")
        {
            Description = "Also a name that no node is known by, such as of one that joined and was never started.",
        };
        var command = new ExampledCommand(
            "remove", "Take a node out of the cluster for good: it votes no more, and its certificate counts nowhere.",
            "./hexcast cluster remove node-3",
            "./hexcast cluster remove node-3 --yes --json")
        {
            name, yes, force, json,
        };
        reach.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var node = parsed.GetValue(name)!;
            var cluster = await reach.AskAsync(
                parsed, clock, (asked, call) => asked.DescribeClusterAsync(new DescribeClusterRequest(), call), cancel);
            var isRemoved = await MayRemoveAsync(
                output, cluster, reach.Identity(parsed), node, parsed.GetValue(yes), cancel);
            if (isRemoved)
            {
                var request = new RemoveNodeRequest { Node = node, Force = parsed.GetValue(force) };
                await reach.AskAsync(parsed, clock, (asked, call) => asked.RemoveNodeAsync(request, call), cancel);
            }

            output.Say(isRemoved ? $"{node} is out of the cluster." : "Nothing was removed.");
            if (output.Json)
            {
                output.Document(new { node, removed = isRemoved });
            }

            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Says what goes with the node, and asks where nobody has said yes.</summary>
    private static async Task<bool> MayRemoveAsync(
        Output output, DescribeClusterResponse cluster, ClusterIdentity? asker, string node, bool yes,
        CancellationToken cancel)
    {
        foreach (var loss in Losses(cluster, asker, node))
        {
            await Console.Error.WriteLineAsync($"hexcast: {Output.Printable(loss)}");
        }

        if (yes)
        {
            return true;
        }

        if (!output.IsTerminal || Console.IsInputRedirected)
        {
            throw new CliException(ExitCode.Usage, $"nobody is there to ask. Say --yes to remove {node}.");
        }

        var address = cluster.Nodes.FirstOrDefault(known => known.Node == node)?.Address ?? "not known here";
        var ask = new ConfirmationPrompt(Markup.Escape(Output.Printable(
            $"Remove {node} ({address}) for good? Its certificate and its name will count nowhere.")))
        { DefaultValue = false };
        return await ask.ShowAsync(output.Words, cancel);
    }

    /// <summary>What the cluster has on that node only.</summary>
    internal static IEnumerable<string> Losses(DescribeClusterResponse cluster, ClusterIdentity? asker, string name)
    {
        var node = cluster.Nodes.FirstOrDefault(known => known.Node == name);
        if (node?.Roles.Intersect(NodeRegistration.SingleRoles).ToList() is { Count: > 0 } only)
        {
            yield return $"{name} runs {string.Join(", ", only)}: what they keep is in its data folder only.";
        }

        // Whoever signs stands first among those that a node asks.
        if (asker is { Signs: true } ? asker.Node == name
            : asker is { Seeds: [var signer, ..] } && signer == node?.Address)
        {
            yield return $"{name} holds ca.key: without a copy nobody joins any more, and no certificate is renewed.";
        }
    }

    public static Command Transfer(TimeProvider clock)
    {
        var name = new Argument<string?>("NODE")
        {
            Description = "Who is to be the master. Without it whoever has most of the log.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var from = new Option<string?>("--from")
        {
            Description = "Only if this node leads now: asked twice, it is done once.",
            HelpName = "NODE",
        };
        var (reach, json) = (new NodeReach(), SharedOptions.Json());
        var command = new ExampledCommand(
            "transfer", "Hand the mastership over, as before a node is stopped.",
            "./hexcast cluster transfer node-2",
            "./hexcast cluster transfer --from node-1")
        {
            name, from, json,
        };
        reach.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var request = new TransferLeadershipRequest
            {
                Node = parsed.GetValue(name) ?? "", From = parsed.GetValue(from) ?? "",
            };
            if (request is { Node: "", From: "" })
            {
                // Whoever leads now, and not also the next one.
                request.From = LeaderOf(await reach.AskAsync(
                    parsed, clock, (node, call) => node.DescribeClusterAsync(new DescribeClusterRequest(), call),
                    cancel)) ?? "";
            }

            var done = await reach.AskAsync(
                parsed, clock, (node, call) => node.TransferLeadershipAsync(request, call), cancel);
            var output = new Output(parsed.GetValue(json));
            output.Say($"{done.Node} leads now.");
            if (output.Json)
            {
                output.Document(new { leader = done.Node });
            }

            return ExitCode.Success;
        });
        return command;
    }

    internal static void Tell(Output output, DescribeClusterResponse cluster)
    {
        var leader = LeaderOf(cluster);
        if (output.Json)
        {
            output.Document(new
            {
                master = Named(cluster.Master), leader, term = cluster.Term, answered_by = cluster.AnsweredBy,
                unanswered = Named(cluster.Unanswered),
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
                node is not { Roles: [_, ..] } ? "not there" : string.Join(',', node.Roles));
        }

        output.Words.Write(table);
        output.Say(
            cluster.Unanswered.Length == 0
                ? cluster.Master.Length > 0 ? $"{cluster.Master} is the master." : "No node is the master now."
            : cluster is { Leader: 0, Members: [_, ..] }
                ? $"No majority of {cluster.Members.Count(member => member.IsVoter)} voters answers; nothing is "
                + $"scheduled. What stands above is what {cluster.AnsweredBy} knew last."
                : $"The coordinator does not answer {cluster.AnsweredBy}, which knew this last: {cluster.Unanswered}");
    }

    private static string? LeaderOf(DescribeClusterResponse cluster) =>
        cluster.Members.FirstOrDefault(member => member.Id == cluster.Leader)?.Node;

    private static string WordsOf(DescribeClusterResponse cluster, GroupMember member) =>
        (member.Id == cluster.Leader ? $"leads term {cluster.Term}" : member.IsVoter ? "votes" : "learns")
        + (Behind(cluster, member) is > 0 and var behind ? $", {behind} entries behind" : "");

    private static long? Behind(DescribeClusterResponse cluster, GroupMember member) =>
        member.HasMatchIndex && cluster.LastIndex > 0 ? (long)(cluster.LastIndex - member.MatchIndex) : null;

    private static string? Named(string name) => name.Length > 0 ? name : null;
}
