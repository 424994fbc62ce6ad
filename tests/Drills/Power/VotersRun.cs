using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.V1;

namespace Hexcast.Drills.Power;

/// <summary>
/// The guest is one voter, the two others are on this machine. Only one of them is up while the load runs, so that
/// nothing is acknowledged without the guest; after the power loss only the other one is, which lacks all of it. What
/// the group has then is what the guest's disk has kept.
/// </summary>
internal static class VotersRun
{
    private const string GuestName = "guest";

    /// <summary>Never members: whoever is promised their vote cannot lead.</summary>
    private const ulong FirstCandidate = 0xd1, SecondCandidate = 0xd3;

    private static readonly TimeSpan ShortestLoad = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestLoad = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan CatchUpLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(10);

    public static async Task RunAsync(DrillReport report, string folder, int cuts, Random random)
    {
        int[] ports = [.. Enumerable.Range(0, 5).Select(_ => PlatformProcess.FreePort())];
        var common = new Dictionary<string, string>
        {
            // The guest takes seconds for what this machine does in milliseconds.
            ["Coordination:ElectionTimeoutMilliseconds"] = "3000",
            ["Coordination:SnapshotEntries"] = "1000",
        };
        var joining = new Dictionary<string, string>(common)
        {
            ["Coordination:Join:0"] = $"localhost:{ports[0]}",
            ["Coordination:Join:1"] = $"localhost:{ports[1]}",
        };
        await using var first = await StartAsync(
            Path.Combine(folder, "first"), ports[0], "first",
            new Dictionary<string, string>(common) { ["Coordination:Cluster"] = "true" });
        await using var second = await StartAsync(Path.Combine(folder, "second"), ports[1], "second", joining);
        await using var node = await GuestNode.MakeAsync(
            Path.Combine(folder, "guest"), ports[2], ports,
            new Dictionary<string, string>(joining)
            {
                ["Access:AllowPlainHttp"] = "true", ["Access:AllowOpenGrpc"] = "true",
            },
            "--target", "master", "--node", GuestName, "--advertise", $"localhost:{ports[2]}");
        var group = await GroupAsync(first.Grpc);
        await using var candidate = await Candidate.StartAsync(ports[3], FirstCandidate, group);
        await using var rival = await Candidate.StartAsync(ports[4], SecondCandidate, group);
        var puts = new PutLedger();
        var (led, promises) = (0, 0);
        node.PowerOn();
        await node.WaitUntilReadyAsync();
        for (var cut = 1; cut <= cuts; cut++)
        {
            var (with, without) = cut % 2 == 0 ? (first, second) : (second, first);
            await CaughtUpAsync(with);
            await without.KillAsync();
            if (random.Next(2) == 0)
            {
                await HandOverAsync(with, GuestName);
            }

            var moment = ShortestLoad + ((LongestLoad - ShortestLoad) * random.NextDouble());
            var asksForVote = random.Next(2) == 0;
            var (members, term) = await LoadAsync(puts, with, node, moment, asksForVote ? candidate : null);
            var leader = members?.Members.FirstOrDefault(member => member.Id == members.Leader);
            led += leader?.Node == GuestName ? 1 : 0;
            await with.KillAsync();

            node.PowerOn();
            await AnswersAloneAsync(node);
            if (term > 0)
            {
                await RefusesAnotherAsync(candidate, rival, node, term);
                promises++;
            }

            await without.StartAgainAsync();
            await node.WaitUntilReadyAsync();
            await puts.CheckAsync(without.Grpc);
            await with.StartAgainAsync();
            Console.WriteLine(
                $"voters, cut {cut} of {cuts} after {moment.TotalSeconds:0.0} s: {puts.Acknowledged} puts, guest led " +
                $"{led} times, {promises} promises; unsynced lines lost {node.LossesSeen} times; ready in " +
                $"{node.Starts[^1].TotalSeconds:0} s");
        }

        PowerDrill.AddGuest(report, node, cuts);
        report.Add($"| puts acknowledged, all there after each loss | {puts.Acknowledged} |");
        report.Add($"| losses while the guest led | {led} |");
        report.Add($"| votes promised just before the loss, none given twice in their term | {promises} |");
    }

    /// <returns>The group as it was just before the power went, and the term of the vote that was promised, or 0.
    /// </returns>
    private static async Task<(DescribeClusterResponse? Group, ulong Term)> LoadAsync(
        PutLedger puts, PlatformProcess with, GuestNode node, TimeSpan moment, Candidate? candidate)
    {
        using var stop = new CancellationTokenSource();
        var before = puts.Acknowledged;
        var load = puts.WriteAsync(with.Grpc, stop.Token);
        await puts.WaitForMoreAsync(before);
        await Task.Delay(moment, TimeProvider.System, stop.Token);
        var group = await DescribeAsync(with.Grpc);
        ulong term = 0;
        if (candidate is not null && group is not null)
        {
            var answer = await candidate.AskAsync(node.Grpc, group.Term + 1);
            term = answer.VoteResponse.Granted ? answer.Term : 0;
        }

        await node.CutAsync();
        await stop.CancelAsync();
        await load;
        return (group, term);
    }

    /// <summary>Alone, it stays in its term: the one that it has promised to may ask again, another one may not.
    /// </summary>
    private static async Task RefusesAnotherAsync(
        Candidate candidate, Candidate rival, GuestNode node, ulong term)
    {
        var other = await rival.AskAsync(node.Grpc, term);
        if (other.VoteResponse.Granted || other.Term < term)
        {
            throw new LostException($"the vote of term {term} was given twice: {other}");
        }

        var same = await candidate.AskAsync(node.Grpc, term);
        if (other.Term == term && !same.VoteResponse.Granted)
        {
            throw new LostException($"the vote of term {term} is nobody's: {same}");
        }
    }

    private static Task<PlatformProcess> StartAsync(
        string folder, int port, string name, IReadOnlyDictionary<string, string> settings) =>
        PlatformProcess.StartAtAsync(
            folder, port, settings,
            "--target", "master", "--node", name, "--advertise", $"localhost:{port}");

    /// <summary>All three vote and have all of the log: any two of them are enough.</summary>
    private static async Task CaughtUpAsync(PlatformProcess asked)
    {
        DescribeClusterResponse? group = null;
        await Wait.ForAsync(
            async () =>
            {
                group = await DescribeAsync(asked.Grpc);
                return group?.Members.Count(member =>
                    member.IsVoter && member.HasMatchIndex && member.MatchIndex >= group.LastIndex) == 3;
            },
            CatchUpLimit, () => $"the group is not whole: {group}");
    }

    /// <summary>Told to whoever wants to join; this one asks for no place.</summary>
    private static async Task<ulong> GroupAsync(string address)
    {
        using var channel = GrpcChannel.ForAddress($"http://{address}");
        var answer = await new Membership.MembershipClient(channel.CreateCallInvoker()).JoinGroupAsync(
            new JoinGroupRequest { Id = FirstCandidate, Node = "candidate", Address = "localhost:1", MayLead = false });
        return answer.Group;
    }

    private static Task AnswersAloneAsync(GuestNode node) => Wait.ForAsync(
        async () => await DescribeAsync(node.Grpc) is not null, StartLimit,
        () => $"the guest does not answer:\n{node.Said}");

    /// <returns>Null: it does not answer in time.</returns>
    private static async Task<DescribeClusterResponse?> DescribeAsync(string address)
    {
        using var channel = GrpcChannel.ForAddress($"http://{address}");
        try
        {
            return await new Membership.MembershipClient(channel.CreateCallInvoker()).DescribeClusterAsync(
                new DescribeClusterRequest(), deadline: TimeProvider.System.GetUtcNow().UtcDateTime + AnswerTime);
        }
        catch (RpcException)
        {
            return null;
        }
    }

    /// <summary>Asked, not demanded: with a slow disk it may lose the leadership again at once.</summary>
    private static async Task HandOverAsync(PlatformProcess asked, string node)
    {
        using var channel = GrpcChannel.ForAddress($"http://{asked.Grpc}");
        try
        {
            await new Membership.MembershipClient(channel.CreateCallInvoker()).TransferLeadershipAsync(
                new TransferLeadershipRequest { Node = node },
                deadline: TimeProvider.System.GetUtcNow().UtcDateTime + AnswerTime);
        }
        catch (RpcException)
        {
            // It leads already, or it does not want to.
        }
    }
}
