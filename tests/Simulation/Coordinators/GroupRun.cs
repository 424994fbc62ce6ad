using Google.Protobuf;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Mvcc;

namespace Hexcast.Simulation.Coordinators;

/// <summary>One seed: a group of coordinators in its weather, then calm, then the reckoning.</summary>
internal static class GroupRun
{
    private static readonly TimeSpan HealingLimit = TimeSpan.FromSeconds(30);

    private const int AnswersAfterwards = 3;
    private const int Leaseholders = 8;

    /// <exception cref="ViolationException">With what went wrong.</exception>
    public static Journey Of(ulong seed, Action<string>? tell = null)
    {
        var world = new World(seed) { Tell = tell };
        var weather = GroupWeather.Of(world.Dice);
        tell?.Invoke(weather.ToString());
        var group = new Group(world, weather);
        List<GroupWatcher> watchers = [.. Enumerable.Range(1, weather.Watchers).Select(i => i == 1
            ? new GroupWatcher(group, "/k/", "/k0")
            : new GroupWatcher(group, $"/k/{i}", $"/k/{i + 1}"))];
        ViolationException.Catch(() => Run(group, watchers));
        return Of(group, ("watch events", watchers.Sum(w => w.Events)), ("leases", group.Oracle.Promises.Count));
    }

    /// <summary>What the group went through, and something else.</summary>
    public static Journey Of(Group group, params IEnumerable<(string, long)> besides) => Journey.Of(
        group.World,
        [
            ("messages", group.Lines.Sent), ("revisions", group.Oracle.Model.Revision),
            ("leaders", group.Oracle.Elections), ("crashes", group.Crashes), ("damaged logs", group.Damages),
            ("snapshots", group.Snapshots), ("installed", group.Installs),
            ("changes of members asked for", group.MemberChanges), .. besides,
        ]);

    private static void Run(Group group, List<GroupWatcher> watchers)
    {
        var (world, weather) = (group.World, group.Sky);
        List<GroupClient> clients = [.. Enumerable.Range(1, weather.Clients).Select(i => new GroupClient(group, i))];
        clients.ForEach(client => client.Think());
        watchers.ForEach(watcher => world.After(world.Dice.Between(0, 1_000), watcher.Begin));
        if (weather.Leases)
        {
            Enumerable.Range(1, Leaseholders).ToList().ForEach(i => new GroupLeaseholder(group, i).Think());
        }
        var fate = new GroupFate(group);
        fate.Begin();
        world.RunUntil(weather.Trouble);
        fate.ClearUp();
        clients.ForEach(client => client.Answers = 0);
        Heals(group, "answer everybody", () =>
        {
            foreach (var client in clients)
            {
                client.IsDone |= client.Answers >= AnswersAfterwards;
            }
            return clients.TrueForAll(client => client.IsDone);
        });
        Heals(group, "end their leases", () => group.Oracle.Model.Leases.Count == 0);
        Reckon(group);
        Heals(group, "tell every watcher all", () => watchers.TrueForAll(w => w.IsCurrent));
    }

    private static void Heals(Group group, string what, Func<bool> holds)
    {
        if (!holds() && !group.World.RunUntil(group.World.Now + HealingLimit, holds))
        {
            throw new ViolationException($"they do not {what}: {Standing(group)}");
        }
    }

    /// <summary>They are of one mind, and every member holds what the model holds.</summary>
    public static void Reckon(Group group)
    {
        Heals(group, "agree", () => IsOne(group));
        var model = group.Oracle.Model;
        var everything = KeyRange.Of(ByteString.CopyFromUtf8(" "), ByteString.CopyFromUtf8("~"));
        var expected = model.Range(" ", "~", model.Revision)
            .Select(pair => $"{pair.Key}={pair.Held.Value}@{pair.Held.Created}/{pair.Held.Revision}").ToList();
        foreach (var member in group.Nodes.Where(m => m.Core?.AppliedIndex == group.Oracle.LastIndex))
        {
            var store = member.Core!.State.Store;
            var there = store.Range(everything, store.Revision).Select(kv =>
                $"{kv.Key.ToStringUtf8()}={kv.Value.ToStringUtf8()}@{kv.CreateRevision}/{kv.ModRevision}");
            GroupOracle.Require(there.SequenceEqual(expected), $"{member.Name} holds other keys than the rest (I1)");
            GroupOracle.Require(
                member.Core.State.Leases.All.Select(lease => lease.Id).Order().SequenceEqual(model.Leases),
                $"{member.Name} holds other leases than the rest (I1)");
        }
    }

    private static bool IsOne(Group group) => group.Leader is { Core: { } leader }
        && leader.Members.All.All(id => group.Find(id) is { Core: { Raft.IsRecovering: false } core }
            && core.AppliedIndex == leader.Raft.Log.LastIndex && core.Term == leader.Term);

    public static string Standing(Group group) => string.Join("; ", group.Nodes.Select(m =>
        m.Core is not { } core ? $"n{m.Id} is down"
        : $"n{m.Id} {core.Raft.Role} term {core.Term} applied {core.AppliedIndex} of {core.Raft.Log.LastIndex} "
        + $"{core.Members}" + (core.Raft.IsRecovering ? " recovering" : "")));
}
