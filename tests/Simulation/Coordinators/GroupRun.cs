using System.Globalization;
using Google.Protobuf;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Mvcc;

namespace Hexcast.Simulation.Coordinators;

/// <summary>What a run went through.</summary>
internal sealed record GroupJourney(
    ulong Digest, long Events, long Messages, long Revisions, int Watched, int Leases, int Elections, int Crashes,
    int Damages, int Snapshots, int Installs, TimeSpan Simulated);

/// <summary>What many runs went through, together.</summary>
internal sealed class GroupSums
{
    private long _events;
    private long _messages;
    private long _revisions;
    private long _watched;
    private long _leases;
    private long _elections;
    private long _crashes;
    private long _damages;
    private long _snapshots;
    private long _installs;
    private double _simulatedSeconds;

    public string Covered => string.Create(CultureInfo.InvariantCulture,
        $"{_simulatedSeconds:0} s simulated, {_events} events, {_messages} messages, {_revisions} revisions, " +
        $"{_watched} watch events, {_leases} leases, {_elections} leaders, {_crashes} crashes, " +
        $"{_damages} damaged logs, {_snapshots} snapshots, {_installs} installed");

    public void Add(GroupJourney journey)
    {
        _events += journey.Events;
        _messages += journey.Messages;
        _revisions += journey.Revisions;
        _watched += journey.Watched;
        _leases += journey.Leases;
        _elections += journey.Elections;
        _crashes += journey.Crashes;
        _damages += journey.Damages;
        _snapshots += journey.Snapshots;
        _installs += journey.Installs;
        _simulatedSeconds += journey.Simulated.TotalSeconds;
    }
}

/// <summary>One seed: a group of coordinators in its weather, then calm, then the reckoning.</summary>
internal static class GroupRun
{
    private static readonly TimeSpan HealingLimit = TimeSpan.FromSeconds(30);

    private const int AnswersAfterwards = 3;

    /// <exception cref="ViolationException">With what went wrong.</exception>
    public static GroupJourney Of(ulong seed, Action<string>? tell = null)
    {
        var world = new World(seed) { Tell = tell };
        var weather = GroupWeather.Of(world.Dice);
        tell?.Invoke(weather.ToString());
        var group = new Group(world, weather);
        List<GroupClient> clients = [.. Enumerable.Range(1, weather.Clients).Select(i => new GroupClient(group, i))];
        List<GroupWatcher> watchers = [.. Enumerable.Range(1, weather.Watchers).Select(i => i == 1
            ? new GroupWatcher(group, "/k/", "/k0")
            : new GroupWatcher(group, $"/k/{i}", $"/k/{i + 1}"))];
        try
        {
            clients.ForEach(client => client.Think());
            watchers.ForEach(watcher => world.After(world.Dice.Between(0, 1_000), watcher.Begin));
            if (weather.Leases)
            {
                new GroupLeaseholder(group, 1).Think();
                new GroupLeaseholder(group, 2).Think();
            }
            var fate = new GroupFate(group);
            fate.Begin();
            world.RunUntil(weather.Trouble);
            fate.ClearUp();
            clients.ForEach(client => client.Answers = 0);
            var until = world.Now + HealingLimit;
            Heals(world, until, group, "answer everybody", () =>
            {
                foreach (var client in clients)
                {
                    client.IsDone |= client.Answers >= AnswersAfterwards;
                }
                return clients.TrueForAll(client => client.IsDone);
            });
            Heals(world, until, group, "are of one mind", () => group.Oracle.Model.Leases.Count == 0 && IsOne(group));
            Heals(world, until, group, "tell every watcher all", () => watchers.TrueForAll(w => w.IsCurrent));
            Reckon(group);
        }
        catch (Exception broken) when (broken is InvalidOperationException or KeyNotFoundException
            or ArgumentException or FileNotFoundException or CoordinatorDataException)
        {
            // The core found it by itself and would have ended its process.
            throw new ViolationException(broken.ToString());
        }
        return new GroupJourney(
            world.Digest, world.Events, group.Lines.Sent, group.Oracle.Model.Revision, watchers.Sum(w => w.Events),
            group.Oracle.Promises.Count, group.Oracle.Elections, group.Crashes, group.Damages, group.Snapshots,
            group.Installs, world.Now);
    }

    private static void Heals(World world, TimeSpan until, Group group, string what, Func<bool> holds)
    {
        if (!holds() && !world.RunUntil(until, holds))
        {
            throw new ViolationException($"they do not {what}: {Standing(group)}");
        }
    }

    private static bool IsOne(Group group) => group.Leader is { Core: { } leader }
        && leader.Members.All.All(id => group.Find(id) is { Core: { Raft.IsRecovering: false } core }
            && core.AppliedIndex == leader.Raft.Log.LastIndex && core.Term == leader.Term);

    /// <summary>Every member holds what the model holds.</summary>
    private static void Reckon(Group group)
    {
        var model = group.Oracle.Model;
        var everything = KeyRange.Of(ByteString.CopyFromUtf8(" "), ByteString.CopyFromUtf8("~"));
        var expected = model.Range(" ", "~", model.Revision)
            .Select(pair => $"{pair.Key}={pair.Held.Value}@{pair.Held.Created}/{pair.Held.Revision}").ToList();
        foreach (var member in group.Members.Where(m => m.Core!.AppliedIndex == group.Oracle.LastIndex))
        {
            var store = member.Core!.State.Store;
            var there = store.Range(everything, store.Revision).Select(kv =>
                $"{kv.Key.ToStringUtf8()}={kv.Value.ToStringUtf8()}@{kv.CreateRevision}/{kv.ModRevision}");
            GroupOracle.Require(there.SequenceEqual(expected), $"{member.Name} holds other keys than the rest (I1)");
            GroupOracle.Require(!member.Core.State.Leases.All.Any(), $"{member.Name} holds leases that have ended");
        }
    }

    private static string Standing(Group group) => string.Join("; ", group.Members.Select(m =>
        m.Core is not { } core ? $"n{m.Id} is down"
        : $"n{m.Id} {core.Raft.Role} term {core.Term} applied {core.AppliedIndex} of {core.Raft.Log.LastIndex} "
        + $"{core.Members}" + (core.Raft.IsRecovering ? " recovering" : "")));
}
