using System.CommandLine;
using Hexcast.Coordination;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Configuration;
using Spectre.Console;
using static System.FormattableString;

namespace Hexcast.App.Cli;

/// <summary>cluster recover: a node goes on alone with the coordinator, when the others are lost for good.</summary>
internal static class ClusterRecoverCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data")
        {
            Description = "Data folder of the node, which is stopped.",
            DefaultValueFactory = _ => NodeOptions.DefaultData,
        };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "recover",
            "Let this node go on alone with what it has of the coordinator, when most of those that vote are lost for "
            + "good. What only they had is lost; they never come back.",
            "./hexcast cluster recover --data ./node-2",
            "./hexcast cluster recover --data ./node-2 --yes --json")
        {
            data, yes, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var (given, output) = (parsed.GetValue(data)!, new Output(parsed.GetValue(json)));
            var folder = Path.GetFullPath(given);
            var identity = ClusterIdentity.Find(folder);
            RequireCoordinator(folder, identity);
            await using var held = RunningNode.Lock(folder);
            using var recovery = CoordinatorRecovery.Open(folder, identity);
            var log = recovery.Log;
            Say(output, log, identity?.Node);
            var goesOn = !log.IsAlone && await AgreesAsync(parsed.GetValue(yes), output, cancel);
            if (goesOn)
            {
                recovery.GoOnAlone();
                output.Say("It has the coordinator alone now.");
                output.Say($"Start it:                 ./hexcast serve --data {given}");
                output.Say(identity is { Signs: false }
                    ? $"Before others join it:    put the cluster's ca.key and nodes/ into {identity.Folder}"
                    : "For each that joins it:   ./hexcast cluster token --data " + given);
            }
            else
            {
                output.Say("Nothing was changed.");
            }

            if (output.Json)
            {
                output.Document(new
                {
                    node = identity?.Node, entry = log.Entry, term = log.Term, revision = log.Revision,
                    unreadable_from = log.UnreadableFrom == 0 ? (ulong?)null : log.UnreadableFrom,
                    given_up = log.Others, recovered = goesOn,
                });
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static void RequireCoordinator(string folder, ClusterIdentity? identity)
    {
        if (identity is null && !Directory.Exists(CoordinationModule.DirectoryIn(folder)))
        {
            throw new CliException(ExitCode.Usage, $"{folder} is no node's data folder. Name one with --data.");
        }

        if (CoordinationModule.IsEtcd(ConfigurationSources.Load(folder, file: null)))
        {
            throw new CliException(
                ExitCode.Failed, "the coordinator of this node is an etcd: restore that by etcdctl snapshot restore.");
        }
    }

    private static void Say(Output output, KeptLog log, string? node)
    {
        output.Say(log.Entry == 0
            ? $"{node ?? "This node"} has nothing of the coordinator's log: it would begin an empty one."
            : Invariant($"{node ?? "This node"} has the coordinator's log to entry {log.Entry} of term {log.Term}, ")
                + Invariant($"revision {log.Revision}."));
        if (log.UnreadableFrom > 0)
        {
            output.Say(Invariant($"It is damaged: what it had from entry {log.UnreadableFrom} on is lost."));
        }

        if (log.Owes)
        {
            output.Say("It had lost entries before, and was still fetching them from the others: they are lost.");
        }

        if (log.IsAlone)
        {
            output.Say("It has the coordinator alone already, and all of it.");
            return;
        }

        var others = log.Others.Count > 0 ? string.Join(", ", log.Others) : "other nodes";
        output.Say($"Whatever {others} had beyond that is lost, also what was acknowledged: tokens, sessions, jobs.");
        output.Say($"Of {others} none comes back by its name, nor with its coordinator folder: stop them first.");
    }

    private static async Task<bool> AgreesAsync(bool yes, Output output, CancellationToken cancel)
    {
        if (yes)
        {
            return true;
        }

        if (!output.IsTerminal || Console.IsInputRedirected)
        {
            throw new CliException(ExitCode.Usage, "nobody is there to ask. Say --yes to go on.");
        }

        return await new ConfirmationPrompt("Go on with this node alone?") { DefaultValue = false }
            .ShowAsync(output.Words, cancel);
    }
}
