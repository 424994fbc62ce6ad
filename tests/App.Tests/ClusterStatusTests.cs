using Hexcast.App.Cli;
using Hexcast.Contracts.V1;

namespace Hexcast.App.Tests;

/// <summary>What cluster status says at its end.</summary>
public sealed class ClusterStatusTests
{
    [Fact]
    public void Where_one_leads_it_names_the_master() =>
        Said(Three(leader: 2)).ShouldEndWith("node-2 is the master.");

    [Fact]
    public void Without_a_majority_it_says_so_and_names_no_master()
    {
        var cluster = Three(leader: 0);
        (cluster.Master, cluster.Unanswered) = ("", "no majority of the 3 voters answers");
        Said(cluster).ShouldEndWith(
            "No majority of 3 voters answers; nothing is scheduled. What stands above is what node-1 knew last.");
    }

    [Fact]
    public void Where_nobody_could_be_asked_it_says_why()
    {
        var cluster = new DescribeClusterResponse { AnsweredBy = "node-5", Unanswered = "10.0.0.2:2379: refused" };
        Said(cluster).ShouldEndWith(
            "The coordinator does not answer node-5, which knew this last: 10.0.0.2:2379: refused");
    }

    private static DescribeClusterResponse Three(ulong leader)
    {
        var cluster = new DescribeClusterResponse
        {
            Leader = leader, Term = 7, Master = "node-2", AnsweredBy = "node-1",
        };
        for (var number = 1ul; number <= 3; number++)
        {
            cluster.Members.Add(new GroupMember
            {
                Id = number, Node = $"node-{number}", Address = $"10.0.0.{number}:8081", IsVoter = true,
            });
        }

        return cluster;
    }

    private static string Said(DescribeClusterResponse cluster)
    {
        using var words = new StringWriter();
        ClusterMembersCommands.Tell(new Output(json: false, words), cluster);
        return words.ToString().TrimEnd();
    }
}
