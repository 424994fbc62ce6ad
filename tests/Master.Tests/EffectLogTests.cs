using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;

namespace Hexcast.Master.Tests;

public sealed class EffectLogTests
{
    [Fact]
    public void Nothing_behind_a_write_happens_before_it_is_durable()
    {
        var log = new EffectLog();
        log.Add([new Note("a"), Write("k1", "1"), new Note("b"), Write("k2", "1"), new Note("c")]);
        Drain(log).ShouldBe(["a"]);
        log.TakeBatch()!.Select(w => w.Key).ShouldBe(["k1", "k2"]);
        log.Add([Write("k3", "1"), new Note("d")]);
        Drain(log).ShouldBeEmpty();
        log.Committed();
        Drain(log).ShouldBe(["b", "c"]);
        log.TakeBatch()!.Select(w => w.Key).ShouldBe(["k3"]);
        log.Committed();
        Drain(log).ShouldBe(["d"]);
        log.TakeBatch().ShouldBeNull();
    }

    [Fact]
    public void A_write_of_nothing_still_asks_whether_the_fence_holds()
    {
        var log = new EffectLog();
        log.Add([new Persist([]), new Note("a")]);
        Drain(log).ShouldBeEmpty();
        log.TakeBatch()!.ShouldBeEmpty();
        log.Committed();
        Drain(log).ShouldBe(["a"]);
    }

    [Fact]
    public void A_batch_holds_the_last_value_of_each_key()
    {
        var log = new EffectLog();
        log.Add([Write("k", "1"), Write("other", "1"), Write("k", "2")]);
        log.TakeBatch()!.Select(w => ((JobRecord)w.Value!).JobId).ShouldBe(["2", "1"]);
    }

    [Fact]
    public void A_batch_is_cut_at_what_a_transaction_may_hold_and_never_within_a_write()
    {
        var log = new EffectLog();
        log.Add(Enumerable.Range(0, 67).Select(i => new Persist(
            [new RecordWrite($"a{i}", null), new RecordWrite($"b{i}", null), new RecordWrite($"c{i}", null)])));
        log.TakeBatch()!.Count.ShouldBe(99);
        log.Committed();
        Drain(log);
        log.TakeBatch()!.Count.ShouldBe(99);
        log.Committed();
        Drain(log);
        log.TakeBatch()!.Count.ShouldBe(3);
    }

    [Fact]
    public void A_batch_is_cut_at_its_bytes_too()
    {
        var log = new EffectLog();
        log.Add([Write("a", new string('x', 700_000)), Write("b", new string('x', 700_000))]);
        log.TakeBatch()!.Select(w => w.Key).ShouldBe(["a"]);
    }

    private static Persist Write(string key, string value) =>
        new([new RecordWrite(key, new JobRecord { JobId = value })]);

    private static List<string> Drain(EffectLog log)
    {
        var words = new List<string>();
        while (log.Next() is { } effect)
        {
            words.Add(((Note)effect).Words);
        }

        return words;
    }
}
