namespace Hexcast.Simulation;

/// <summary>One seed: a cluster in its weather, then calm, then the reckoning.</summary>
internal static class Run
{
    /// <summary>Of simulated time, from the last trouble to a cluster that answers everybody and is of one mind.
    /// </summary>
    private static readonly TimeSpan HealingLimit = TimeSpan.FromSeconds(10);

    private const int AnswersAfterwards = 3;

    /// <param name="tell">Everything that happens, in words.</param>
    /// <exception cref="ViolationException">With what went wrong.</exception>
    public static Journey Of(ulong seed, Action<string>? tell = null)
    {
        var world = new World(seed) { Tell = tell };
        var weather = Weather.Of(world.Dice);
        tell?.Invoke(weather.ToString());
        var cluster = new Cluster(world, weather);
        var fate = new ClusterFate(cluster);
        ViolationException.Catch(() =>
        {
            foreach (var client in cluster.Clients)
            {
                client.Think();
            }
            fate.Begin();
            world.RunUntil(weather.Trouble);
            fate.ClearUp();
            foreach (var client in cluster.Clients)
            {
                client.Answers = 0;
            }
            if (!world.RunUntil(world.Now + HealingLimit, () => HasHealed(cluster)))
            {
                throw new ViolationException($"it has not healed: {Standing(cluster)}");
            }
        });
        if (Linearizability.FindFault(cluster.Calls) is { } fault)
        {
            throw new ViolationException($"no register answers so:\n  {string.Join("\n  ", fault.TakeLast(24))}");
        }
        return Journey.Of(
            world, ("messages", cluster.Lines.Sent), ("writes acknowledged", cluster.Acknowledged),
            ("leaders", (long)cluster.Oracle.Elections), ("crashes", cluster.Crashes),
            ("damaged logs", cluster.Damages), ("snapshots", cluster.Snapshots), ("installed", cluster.Installs),
            ("changes of members asked for", fate.MemberChanges));
    }

    private static bool HasHealed(Cluster cluster)
    {
        foreach (var client in cluster.Clients)
        {
            if (client.Answers < AnswersAfterwards)
            {
                return false;
            }
        }
        if (cluster.Leader is not { Core: { } leader })
        {
            return false;
        }
        foreach (var id in leader.Members.All)
        {
            var node = cluster.Find(id);
            if (node?.Core is not { IsRecovering: false } core || core.Commit + AnswersAfterwards < leader.Commit
                || core.Term != leader.Term)
            {
                return false;
            }
        }
        return true;
    }

    private static string Standing(Cluster cluster) => string.Join("; ", cluster.Nodes.Select(n =>
        n.Core is not { } core ? $"n{n.Id} is down"
        : $"n{n.Id} {core.Role} term {core.Term} commit {core.Commit} of {core.Log.LastIndex} {core.Members}"
        + (core.IsRecovering ? " recovering" : "")))
        + $"; clients {string.Join(' ', cluster.Clients.Select(c => c.Answers))}";
}
