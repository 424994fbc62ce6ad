namespace Hexcast.Simulation;

/// <summary>One seed: a group in its weather, then calm, then the reckoning.</summary>
internal static class Run
{
    /// <summary>Of simulated time, from the last trouble to a group that answers everybody and is of one mind.
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
        var group = new RaftGroup(world, weather);
        var fate = new RaftGroupFate(group);
        ViolationException.Catch(() =>
        {
            foreach (var client in group.Clients)
            {
                client.Think();
            }
            fate.Begin();
            world.RunUntil(weather.Trouble);
            fate.ClearUp();
            foreach (var client in group.Clients)
            {
                client.Answers = 0;
            }
            if (!world.RunUntil(world.Now + HealingLimit, () => HasHealed(group)))
            {
                throw new ViolationException($"it has not healed: {Standing(group)}");
            }
        });
        if (Linearizability.FindFault(group.Calls) is { } fault)
        {
            throw new ViolationException($"no register answers so:\n  {string.Join("\n  ", fault.TakeLast(24))}");
        }
        return Journey.Of(
            world, ("messages", group.Lines.Sent), ("writes acknowledged", group.Acknowledged),
            ("leaders", (long)group.Oracle.Elections), ("crashes", group.Crashes),
            ("damaged logs", group.Damages), ("snapshots", group.Snapshots), ("installed", group.Installs),
            ("changes of members asked for", fate.MemberChanges));
    }

    private static bool HasHealed(RaftGroup group)
    {
        foreach (var client in group.Clients)
        {
            if (client.Answers < AnswersAfterwards)
            {
                return false;
            }
        }
        if (group.Leader is not { Core: { } leader })
        {
            return false;
        }
        foreach (var id in leader.Members.All)
        {
            var node = group.Find(id);
            if (node?.Core is not { IsRecovering: false } core || core.Commit + AnswersAfterwards < leader.Commit
                || core.Term != leader.Term)
            {
                return false;
            }
        }
        return true;
    }

    private static string Standing(RaftGroup group) => string.Join("; ", group.Nodes.Select(n =>
        n.Core is not { } core ? $"n{n.Id} is down"
        : $"n{n.Id} {core.Role} term {core.Term} commit {core.Commit} of {core.Log.LastIndex} {core.Members}"
        + (core.IsRecovering ? " recovering" : "")))
        + $"; clients {string.Join(' ', group.Clients.Select(c => c.Answers))}";
}
