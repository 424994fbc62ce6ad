using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Tests.Servers;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>Who asks twice, or by what was true a moment ago, does not move the mastership once more.</summary>
public sealed class HandOverTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task<string> HandOverAsync(GroupMemberServer asked, string from = "", string node = "") =>
        (await asked.Membership.TransferLeadershipAsync(
            new TransferLeadershipRequest { Node = node, From = from }, cancellationToken: Cancellation)).Node;

    private static async Task<(string? Heir, string? Refusal)> AnswerAsync(GroupMemberServer asked)
    {
        try
        {
            return (await HandOverAsync(asked), null);
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.FailedPrecondition)
        {
            return (null, refused.Status.Detail);
        }
    }

    private static async Task<string> RefusalAsync(Func<Task> ask)
    {
        var refused = await Should.ThrowAsync<RpcException>(ask);
        refused.StatusCode.ShouldBe(StatusCode.FailedPrecondition);
        return refused.Status.Detail;
    }

    [Fact]
    public async Task A_node_that_leads_no_more_hands_nothing_over_and_says_who_leads()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var first = await group.LeaderAsync();
        var heir = await HandOverAsync(first);
        var second = group.Members.Single(member => member.Node == heir);
        var term = second.Coordinator.Standing.Term;

        // By the node that is asked, or by name, wherever it is asked.
        var words = $"{first.Node} does not lead, {second.Node} does; nothing was handed over";
        (await RefusalAsync(() => HandOverAsync(first))).ShouldContain(words);
        foreach (var asked in group.Members)
        {
            (await RefusalAsync(() => HandOverAsync(asked, from: first.Node))).ShouldContain(words);
        }
        // Who is named leads already.
        (await HandOverAsync(first, node: second.Node)).ShouldBe(second.Node);
        (second.Coordinator.Standing.Leader, second.Coordinator.Standing.Term).ShouldBe((second.Self.Id, term));

        (await HandOverAsync(first, from: second.Node, node: first.Node)).ShouldBe(first.Node);
    }

    [Fact]
    public async Task Of_many_who_ask_at_once_that_a_node_hands_over_one_is_obeyed()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var first = await group.LeaderAsync();
        var term = first.Coordinator.Standing.Term;

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => AnswerAsync(first)));
        var heir = answers.Where(answer => answer.Refusal is null).ShouldHaveSingleItem().Heir;
        foreach (var (_, refusal) in answers.Where(answer => answer.Refusal is not null))
        {
            refusal!.ShouldContain("nothing was handed over");
        }
        var second = group.Members.Single(member => member.Node == heir);
        (second.Coordinator.Standing.Leader, second.Coordinator.Standing.Term).ShouldBe((second.Self.Id, term + 1));
    }
}
