using System.Runtime.CompilerServices;

namespace Hexcast.Raft.Tests;

/// <summary>
/// Whole stories, word for word: who says what, and what waits for which disk. The files beside this one are read by
/// people; HEXCAST_REWRITE_GOLDEN=1 writes them anew.
/// </summary>
public sealed class TranscriptTests
{
    [Fact]
    public void A_leader_is_elected_and_commits()
    {
        var group = new Group(3).Elect(1);
        group.Propose(1, "a");
        group.Read(2);
        Check(group);
    }

    [Fact]
    public void One_voter_alone_commits_as_soon_as_its_disk_has_it()
    {
        var group = new Group(1);
        group.Pass(TimeSpan.FromMilliseconds(10));
        group.Propose(1, "a");
        group.Read(1);
        Check(group);
    }

    [Fact]
    public void Votes_and_acknowledgements_wait_for_the_disk()
    {
        var group = new Group(3);
        group[2].HoldsDisk = true;
        group.Cut(1, 3);
        group.Pass(TimeSpan.FromMilliseconds(140));
        group[1].Late = TimeSpan.FromMilliseconds(200);
        group.Step(1, RaftEvent.Tick.Now, "n1 hears nobody, and n2's disk is slow");
        group.Settle();
        group[1].Core.Role.ShouldBe(RaftRole.Candidate);
        group.Sync(2);
        group[1].Core.Role.ShouldBe(RaftRole.Leader);
        group[2].HoldsDisk = true;
        group.Propose(1, "a");
        group[1].Applied.ShouldBeEmpty();
        group.Sync(2);
        group[1].Applied.ShouldBe(["a"]);
        Check(group);
    }

    [Fact]
    public void A_leader_cut_off_steps_down_and_its_entry_gives_way()
    {
        var group = new Group(3).Elect(1);
        group.Isolate(1);
        group.Propose(1, "lost");
        group.Until(() => group[1].Core.Role != RaftRole.Leader);
        group.Until(() => group.Leader is { Id: not 1 });
        group.Propose(group.Leader.Id, "kept");
        group.Heal();
        group.Until(() => group[1].Applied.Count == 1);
        group[1].Applied.ShouldBe(["kept"]);
        Check(group);
    }

    [Fact]
    public void Leadership_is_handed_over()
    {
        var group = new Group(3).Elect(1);
        group.Transfer(1, 3);
        group[3].Core.Role.ShouldBe(RaftRole.Leader);
        Check(group);
    }

    [Fact]
    public void A_node_joins_by_snapshot_becomes_a_voter_and_the_leader_leaves()
    {
        var group = new Group(2, new RaftOptions { EntriesKeptBehindSnapshot = 0, SnapshotChunkBytes = 2 }).Elect(1);
        group.Propose(1, "a");
        group.Propose(1, "b");
        group.Snapshot(1);
        group.Boot(3, Members.None);
        group.Change(1, MemberChange.AddLearner, 3);
        group[3].Applied.ShouldBe(["a", "b"]);
        group.Change(1, MemberChange.Promote, 3);
        group.Change(1, MemberChange.Remove, 1);
        group.Until(() => group.Leader is { Id: not 1 });
        group.Propose(group.Leader.Id, "c");
        Check(group);
    }

    [Fact]
    public void A_damaged_log_is_fetched_again_before_its_node_votes()
    {
        var group = new Group(3).Elect(1);
        group.Propose(1, "a");
        group.Propose(1, "b");
        group.Crash(2);
        group.Boot(2, unreadableFrom: 2);
        group.Settle();
        group[2].Core.IsRecovering.ShouldBeTrue();
        group.Until(() => !group[2].Core.IsRecovering);
        group[2].Disk.HardState.Recovering.ShouldBeFalse();
        group.Until(() => group[2].Applied.Count == 2);
        Check(group);
    }

    private static void Check(Group group, [CallerMemberName] string story = "", [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "Transcripts", $"{story}.txt");
        if (Environment.GetEnvironmentVariable("HEXCAST_REWRITE_GOLDEN") == "1")
        {
            File.WriteAllText(path, group.Script);
        }

        group.Script.ShouldBe(File.Exists(path) ? File.ReadAllText(path) : $"there is no {path}");
    }
}
