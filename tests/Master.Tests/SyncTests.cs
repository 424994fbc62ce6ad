using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>What workers follow: nothing is left out, whatever they missed.</summary>
public sealed class SyncTests
{
    private const long Term = 7;

    [Fact]
    public void A_worker_gets_all_there_is_and_then_every_change_under_the_next_number()
    {
        var stage = new Stage();
        stage.Set(("/hexcast/rules/a", "1"));
        var session = stage.Join("w1", 1);
        Told(stage, session).ShouldBe(["snapshot 1 [a=1]"]);
        stage.Set(("/hexcast/rules/b", "2"), ("/hexcast/rules/a", null));
        stage.Set(("/hexcast/rules/b", "2"));
        stage.Set(("/hexcast/rules/b", "3"));
        Told(stage, session).Skip(1).ShouldBe(["2 b=2", "3 a gone", "4 b=3"], "and nothing of what did not change");
    }

    [Fact]
    public void A_worker_that_comes_back_gets_what_it_missed_and_no_more()
    {
        var stage = new Stage();
        stage.Leave(stage.Join("w1", 1));
        stage.Set(("/hexcast/rules/a", "1"));
        stage.Set(("/hexcast/rules/a", "2"));
        stage.Set(("/hexcast/rules/a", "3"));
        Told(stage, JoinFrom(stage, Term, 1)).ShouldBe(["2 a=2", "3 a=3"]);
        Told(stage, JoinFrom(stage, Term, 3)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(Term + 1, 2)]
    [InlineData(Term - 1, 2)]
    [InlineData(Term, 4)]
    public void A_position_that_means_nothing_here_leads_to_a_snapshot(long term, long seq)
    {
        var stage = new Stage();
        stage.Set(("/hexcast/rules/a", "1"), ("/hexcast/rules/b", "1"), ("/hexcast/rules/b", null));
        Told(stage, JoinFrom(stage, term, seq)).ShouldBe(["snapshot 3 [a=1]"]);
    }

    [Fact]
    public void Who_missed_more_than_is_kept_gets_a_snapshot()
    {
        var stage = new Stage();
        for (var i = 1; i <= SyncBoard.BufferLimit + 1; i++)
        {
            stage.Set(("/hexcast/rules/a", $"{i}"));
        }

        var last = SyncBoard.BufferLimit + 1;
        Told(stage, JoinFrom(stage, Term, 0)).ShouldBe([$"snapshot {last} [a={last}]"]);
        Told(stage, JoinFrom(stage, Term, 1)).Count().ShouldBe(SyncBoard.BufferLimit);
    }

    [Fact]
    public void A_flood_of_changes_is_told_as_one_snapshot()
    {
        var stage = new Stage();
        var session = stage.Join("w1", 1);
        stage.Set([.. Enumerable.Range(1, SyncBoard.BurstLimit + 1)
            .Select(i => ($"/hexcast/rules/{i:D4}", (string?)"x"))]);
        var snapshot = stage.Sent.Last(s => s.Session == session).Message.Snapshot;
        (snapshot.Seq, snapshot.Entries.Count).ShouldBe((SyncBoard.BurstLimit + 1, SyncBoard.BurstLimit + 1));
        Told(stage, session).Count().ShouldBe(2, "the empty one of the beginning, and this");
        stage.Set(("/hexcast/rules/0001", null));
        Told(stage, session).Last().ShouldBe($"{SyncBoard.BurstLimit + 2} 0001 gone");
        Told(stage, JoinFrom(stage, Term, 1)).Single().ShouldStartWith("snapshot");
    }

    [Fact]
    public void A_large_snapshot_comes_in_pieces_that_make_a_whole()
    {
        var stage = new Stage();
        var large = new string('x', SyncBoard.ValueLimitBytes);
        stage.Set([.. Enumerable.Range(0, 10).Select(i => ($"/hexcast/settings/{i}", (string?)large))]);
        var session = stage.Join("w1", 1);
        var pieces = stage.Sent.Where(s => s.Session == session).Select(s => s.Message.Snapshot).OfType<SyncSnapshot>()
            .ToList();
        pieces.Count.ShouldBe(4);
        pieces.Select(p => p.More).ShouldBe([true, true, true, false]);
        pieces.SelectMany(p => p.Entries).Select(e => e.Key[^1]).ShouldBe("0123456789");
    }

    [Fact]
    public void What_is_too_large_to_follow_is_not_followed_and_the_log_says_so()
    {
        var stage = new Stage();
        var session = stage.Join("w1", 1);
        stage.Set(("/hexcast/rules/a", "1"));
        stage.Set(("/hexcast/rules/a", new string('x', SyncBoard.ValueLimitBytes + 1)));
        Told(stage, session).Last().ShouldBe("2 a gone", "rather than as it was before");
        stage.Script.ShouldContain("note /hexcast/rules/a is not followed");
    }

    [Theory]
    [InlineData("slots/w1", "four", "from 1 to 1024")]
    [InlineData("slots/w1", "1025", "from 1 to 1024")]
    [InlineData("tenant-weights/large", "0", "from 1 to 1000")]
    [InlineData("tenant-weights/large", "1001", "from 1 to 1000")]
    [InlineData("slot/w1", "4", "is no setting")]
    public void A_setting_that_counts_for_nothing_is_named_once(string key, string value, string why)
    {
        var stage = new Stage();
        var said = Notes(value);
        said.ShouldHaveSingleItem().ShouldStartWith($"/hexcast/settings/{key} ");
        said.Single().ShouldContain(why);
        Notes(value).ShouldBeEmpty("it is the same as before");

        List<string> Notes(string to) => [.. stage.Core
            .Step(
                new SettingsChanged(null, [new($"/hexcast/settings/{key}", ByteString.CopyFromUtf8(to))]), stage.Now)
            .OfType<Note>().Where(note => note.IsWarning).Select(note => note.Words)];
    }

    [Fact]
    public void A_setting_that_counts_is_not_complained_of()
    {
        SettingRules.Complaint("/hexcast/settings/slots/w1", ByteString.CopyFromUtf8("1024")).ShouldBeNull();
        SettingRules.Complaint("/hexcast/settings/tenant-weights/t", ByteString.CopyFromUtf8("1")).ShouldBeNull();
        SettingRules.Complaint("/hexcast/rules/any", ByteString.CopyFromUtf8("what it likes")).ShouldBeNull();
    }

    [Fact]
    public void A_watch_that_had_to_begin_again_makes_up_for_what_it_missed()
    {
        var stage = new Stage();
        stage.Set(("/hexcast/rules/a", "1"), ("/hexcast/rules/b", "1"), ("/hexcast/settings/c", "1"));
        var session = stage.Join("w1", 1);
        var two = Google.Protobuf.ByteString.CopyFromUtf8("2");
        stage.Core.Step(new SettingsChanged("/hexcast/rules/", [new("/hexcast/rules/b", two)]), stage.Now)
            .OfType<Send>().Select(s => Words(s.Message)).ShouldBe(["4 b=2", "5 a gone"]);
        Told(stage, session).ShouldBe(["snapshot 3 [a=1 b=1 c=1]"]);
    }

    private static long JoinFrom(Stage stage, long term, long seq) => stage.Join(new WorkerHello
    {
        NodeId = "w1", Slots = 1, Synced = new SyncPosition { Term = term, Seq = seq },
    });

    private static IEnumerable<string> Told(Stage stage, long session) => stage.Sent
        .Where(s => s.Session == session && s.Message is not { Snapshot: null, Sync: null })
        .Select(s => Words(s.Message));

    private static string Words(MasterMessage message) => message.Snapshot is { } all
        ? $"snapshot {all.Seq} [{string.Join(' ', all.Entries.Select(e => $"{Name(e.Key)}={e.Value.ToStringUtf8()}"))}]"
        : $"{message.Sync.Seq} {Name(message.Sync.Key)}" +
            (message.Sync.Deleted ? " gone" : $"={message.Sync.Value.ToStringUtf8()}");

    private static string Name(string key) => key.Split('/')[^1];
}
