using Hexcast.Contracts.Etcd;

namespace Hexcast.Harness.Faults;

/// <summary>One round of each fault that every coordinator is put through alike. Each leaves all of them whole; what
/// did not hold is thrown.</summary>
public static class HostFaults
{
    /// <summary>Longer than the lease of a node's registration, which is 10 s: one that is not renewed is missed.
    /// </summary>
    private const int WatchSeconds = 12;

    /// <summary>The most that the limit of etcd's own leases and ticks adds.</summary>
    private static readonly TimeSpan LeaseSlack = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>The member that leads is heard by no other and hears them, or the other way round, or neither. Nodes
    /// that are no members reach all of them.</summary>
    /// <returns>From the moment that the network is whole until every member takes writes again.</returns>
    public static async Task<TimeSpan> CutLeaderAsync(FaultyHosts hosts, bool isHeard, bool hears)
    {
        await using var round = await FaultRound.BeginAsync(hosts);
        var others = hosts.Others(round.Leader);
        await hosts.CutAsync(round.Leader, others, isHeard, hears);

        // Served by the others, whoever of them leads, for as long as the one that is deaf or dumb could disturb them.
        // It acknowledges nothing, whichever way is cut: a write has to reach a majority, and the answer to come back.
        await hosts.UntilWritableAsync(others[0]);
        await round.OutlastLeaseAsync(others[0], meanwhile: async () =>
        {
            (await hosts.View(round.Leader).TryPutAsync(hosts.NewKey(), round.Leader))
                .ShouldBeFalse("the minority took a write");
            await hosts.UntilWritableAsync(others[1]);
        });
        // The one that is cut off knows that it is the master no more.
        await hosts.MasterAsync();
        return await round.EndAsync(mostChanges: 1);
    }

    /// <summary>The member that leads and another one do not see each other; a third sees both, and takes writes all
    /// the while.</summary>
    public static async Task<TimeSpan> CutOneOffLeaderAsync(FaultyHosts hosts)
    {
        await using var round = await FaultRound.BeginAsync(hosts);
        var (blind, third) = (hosts.Others(round.Leader)[0], hosts.Others(round.Leader)[1]);
        await hosts.Network.CutBothWaysAsync(round.Leader, blind);
        await round.OutlastLeaseAsync(third, meanwhile: () => hosts.UntilWritableAsync(third));
        // Nothing that the third one sees would tell.
        (await hosts.Network.LostAsync(round.Leader, blind)).ShouldBePositive("the other one saw the leader");
        (await hosts.Network.LostAsync(blind, round.Leader)).ShouldBePositive("the leader saw the other one");
        return await round.EndAsync(mostChanges: 1);
    }

    /// <summary>The wall clock of the master goes wrong by an hour, and that of another node the other way, and then
    /// both are right again: nobody is elected, no node's registration is lost, and a lease lasts as long as it says.
    /// </summary>
    /// <returns>How long the lease lasted.</returns>
    public static async Task<TimeSpan> SetClocksAsync(FaultyHosts hosts, bool isForward)
    {
        await using var round = await FaultRound.BeginAsync(hosts);
        var (master, other) = (round.Master, hosts.Others(round.Master)[0]);
        var lasted = TimeSpan.Zero;
        foreach (var off in (TimeSpan[])[isForward ? Hour : -Hour, TimeSpan.Zero])
        {
            var took = await round.OutlastLeaseAsync(round.Leader, WatchSeconds, meanwhile: async () =>
            {
                hosts.FaultsOf(master).SetClock(off);
                hosts.FaultsOf(other).SetClock(-off);
                await UntilOffAsync(hosts.Node(master), off);
                await UntilOffAsync(hosts.Node(other), -off);
                await Wait.ForAsync(
                    () => NodeCluster.IsMasterAsync(hosts.Node(master)), FaultyHosts.Limit,
                    () => "it is the master no more");
            });
            took.TotalSeconds.ShouldBeInRange(WatchSeconds, WatchSeconds + LeaseSlack.TotalSeconds);
            lasted = took > lasted ? took : lasted;
        }

        await round.EndAsync(mostChanges: 0);
        round.History.ShouldNotContain(
            one => one.Type == Event.Types.EventType.Delete
                && one.Kv.Key.ToStringUtf8().StartsWith("/hexcast/services/", StringComparison.Ordinal),
            "a node's lease was lost");
        return lasted;
    }

    /// <summary>Its own answers say what time it takes it for.</summary>
    private static Task UntilOffAsync(PlatformProcess node, TimeSpan off) => Wait.ForAsync(
        async () =>
        {
            using var answer = await node.Http.GetAsync("/healthz");
            return (answer.Headers.Date!.Value - TimeProvider.System.GetUtcNow() - off).Duration() < Minute;
        },
        FaultyHosts.Limit, () => $"its clock is not {off} off");
}
