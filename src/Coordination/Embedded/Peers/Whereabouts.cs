using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded.Log;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Embedded.Peers;

/// <summary>
/// Tells the group where this member is reached. A voter that hears nobody asks for votes, and whoever it asks finds
/// it by that. One that may not stand, for it only learns or still fetches what its disk has lost, speaks when it is
/// spoken to: at another address it never would be.
/// </summary>
/// <param name="remembered">The members, as this one's last life knew them: until it hears the group, its log tells
/// less.</param>
internal sealed class Whereabouts(
    EmbeddedCoordinatorSettings settings, PeerSelf self, IReadOnlyList<SavedMember> remembered, TimeProvider clock,
    ILogger logger)
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    private bool _hasWarned;

    /// <summary>In its last life it was somewhere else.</summary>
    public bool HaveChanged { get; } =
        remembered.Any(member => member.Id == self.Id && member.Address != settings.Address);

    /// <summary>One after the other, until one has passed it on to who leads. Each that is asked speaks to this member
    /// at its new address from then on, whether anybody leads or not.</summary>
    public async Task TellAsync(Standing standing, CancellationToken stop)
    {
        var addresses = standing.Known.Concat(remembered).Select(member => member.Address).Concat(settings.Join)
            .Distinct().Where(address => address != settings.Address).ToList();
        var reason = "";
        foreach (var address in addresses)
        {
            using var channel = settings.Open(address);
            try
            {
                Told(await TellAsync(channel.CreateCallInvoker(), stop));
                return;
            }
            catch (RpcException refused)
            {
                stop.ThrowIfCancellationRequested();
                reason = $"{address}: {refused.Status.Detail}";
                logger.LogDebug("Not told where this member is: {Reason}", reason);
            }
        }
        if (addresses.Count > 0 && IsFirstWarning())
        {
            logger.LogWarning(
                "Nobody has passed on to the coordinator's leader that {Node} is at {Address}, last asked was " +
                "{Reason}. It tries again; where the others have moved too, Coordination:Join says where one of " +
                "them is",
                settings.NodeName, settings.Address, reason);
        }
    }

    private async Task<JoinGroupResponse> TellAsync(CallInvoker member, CancellationToken stop)
    {
        // It asks for no place: one that was removed gets none by this, for its id never comes back.
        var request = new JoinGroupRequest
        {
            Id = self.Id, Node = settings.NodeName, Address = settings.Address, MayLead = false,
        };
        var deadline = clock.GetUtcNow().UtcDateTime + AnswerLimit;
        return await new Membership.MembershipClient(member)
            .JoinGroupAsync(request, self.Headers(), deadline, stop);
    }

    private void Told(JoinGroupResponse answer)
    {
        if (answer.IsMember && answer.Group == self.Group)
        {
            _hasWarned = false;
            logger.LogInformation("The coordinator's group knows that this member is at {Address}", settings.Address);
            return;
        }
        if (IsFirstWarning())
        {
            logger.LogWarning(
                "The coordinator's group counts {Node} among its members no more: it was removed, or the group was " +
                "recovered without it. Stop it, remove cluster, coordinator and node.id from its data folder, and " +
                "let it join by a new name",
                settings.NodeName);
        }
    }

    /// <summary>Until it is well again.</summary>
    private bool IsFirstWarning() => !_hasWarned && (_hasWarned = true);
}
