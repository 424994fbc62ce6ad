using System.Text.Json;

namespace Hexcast.Harness;

/// <summary>
/// What no read shows: whether etcd's members still hold the same. Each answers for itself, and one that has left out
/// a write or made one too many goes on as if nothing were wrong.
/// </summary>
internal static class EtcdAgreement
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private sealed record Standing(string Member, long Revision, long AppliedIndex);

    private sealed record Held(string Member, long Revision, long CompactedAt, long Hash);

    /// <param name="etcdctl">Over all members, as somebody who may see everything and writes nothing.</param>
    /// <param name="evidence">What the members have said; only asked for if they disagree.</param>
    /// <exception cref="InvalidOperationException">They disagree.</exception>
    public static async Task CheckAsync(Func<string[], Task<string>> etcdctl, Func<string> evidence)
    {
        IReadOnlyList<Standing> standings = [];
        IReadOnlyList<Held> held = [];
        await Wait.ForAsync(
            async () =>
            {
                var before = standings;
                try
                {
                    standings = StandingsIn(await etcdctl(["endpoint", "status", "-w", "json"]));
                }
                catch (InvalidOperationException)
                {
                    // One of them takes its time.
                    return false;
                }

                // Twice the same: neither was read in the middle of an entry.
                if (standings.SequenceEqual(before) && AreApart(standings))
                {
                    throw FallenOut(standings, evidence);
                }

                try
                {
                    var newest = standings.Max(one => one.Revision);
                    held = HashesIn(await etcdctl(["endpoint", "hashkv", $"--rev={newest}", "-w", "json"]), newest);
                }
                catch (InvalidOperationException)
                {
                    // One of them does not have that revision yet, or has forgotten it since.
                    return false;
                }

                return held.Select(one => one.CompactedAt).Distinct().Count() == 1;
            },
            Limit, () => $"etcd's members stay at different revisions:\n{string.Join('\n', standings)}\n{evidence()}");
        if (held.Select(one => one.Hash).Distinct().Count() > 1)
        {
            throw FallenOut(held, evidence);
        }
    }

    /// <summary>The same entries have left different revisions.</summary>
    private static bool AreApart(IReadOnlyList<Standing> all) =>
        all.Select(one => one.AppliedIndex).Distinct().Count() == 1
        && all.Select(one => one.Revision).Distinct().Count() > 1;

    private static InvalidOperationException FallenOut(IEnumerable<object> what, Func<string> evidence) =>
        new($"etcd's members have fallen out with each other:\n{string.Join('\n', what)}\n{evidence()}");

    private static List<Standing> StandingsIn(string json) => Read(json, "Status", (member, status) => new Standing(
        member, Number(status.GetProperty("header"), "revision"), Number(status, "raftAppliedIndex")));

    private static List<Held> HashesIn(string json, long revision) => Read(json, "HashKV", (member, hash) => new Held(
        member, revision, Number(hash, "compact_revision"), Number(hash, "hash")));

    private static List<T> Read<T>(string json, string what, Func<string, JsonElement, T> read)
    {
        using var members = JsonDocument.Parse(json);
        return [.. members.RootElement.EnumerateArray().Select(
            member => read(member.GetProperty("Endpoint").GetString()!, member.GetProperty(what)))];
    }

    // Left out where it is zero.
    private static long Number(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) ? value.GetInt64() : 0;
}
