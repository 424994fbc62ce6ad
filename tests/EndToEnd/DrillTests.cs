using System.Text;
using Hexcast.Drills;

namespace Hexcast.EndToEnd;

/// <summary>The rules of `./hexcast drill`: what it runs, how it ends, and which line is kept.</summary>
public sealed class DrillTests
{
    private const string Nobody = "this machine is no good";

    private readonly List<string> ran = [];
    private readonly StringBuilder errors = new();

    [Theory]
    [InlineData]
    [InlineData("nothing")]
    [InlineData("crash", "kill-master")]
    [InlineData("all", "kill-master")]
    [InlineData("cluster", "nothing")]
    [InlineData("cluster", "nothing", "etcd")]
    [InlineData("cluster", "kill-master", "nowhere")]
    [InlineData("cluster", "kill-master", "etcd", "twice")]
    [InlineData("cluster", "torn-log", "etcd")]
    [InlineData("cluster", "cut-master-off", "embedded")]
    public async Task What_there_is_not_ends_with_2_and_says_what_there_is(params string[] arguments)
    {
        (await RunAsync(arguments)).ShouldBe(2);
        ran.ShouldBeEmpty();
        errors.ToString().ShouldContain("torn-log");
    }

    [Theory]
    [InlineData("crash", "crash")]
    [InlineData("cluster", "cluster")]
    [InlineData("cluster kill-master", "cluster kill-master")]
    [InlineData("cluster torn-log embedded", "cluster torn-log embedded")]
    [InlineData("cluster cut-master-off etcd", "cluster cut-master-off etcd")]
    [InlineData("all", "crash, cluster, power")]
    public async Task What_there_is_runs_and_ends_with_0(string arguments, string expected)
    {
        (await RunAsync(arguments.Split(' '))).ShouldBe(0);
        string.Join(", ", ran).ShouldBe(expected);
        errors.ToString().ShouldBeEmpty();
    }

    [Fact]
    public async Task What_this_machine_cannot_do_ends_with_6_and_says_why_and_of_all_it_is_left_out()
    {
        (await RunAsync(["power"], hindered: "power")).ShouldBe(6);
        (await RunAsync(["cluster", "cut-out"], hindered: "cluster")).ShouldBe(6);
        ran.ShouldBeEmpty();
        errors.ToString().ShouldBe($"power: {Nobody}\ncut-out: {Nobody}\n");
        (await RunAsync(["all"], hindered: "power")).ShouldBe(0);
        ran.ShouldBe(["crash", "cluster"]);
    }

    [Fact]
    public async Task A_limit_that_is_not_kept_ends_with_1_after_all_of_them_have_run()
    {
        (await RunAsync(["all"], isMet: false)).ShouldBe(1);
        ran.ShouldBe(["crash", "cluster", "power"]);
    }

    [Fact]
    public void Rows_on_hosts_of_their_own_want_a_machine_that_can_have_these_and_no_others_do()
    {
        ClusterDrill.HindranceOf(new Asked("cut-out", "embedded")).ShouldBe(Harness.Faults.VoterCluster.Hindrance);
        ClusterDrill.HindranceOf(new Asked("cut-out", "etcd")).ShouldBe(Harness.Faults.EtcdHosts.Hindrance);
        ClusterDrill.HindranceOf(new Asked("kill-master", null)).ShouldBeNull();
        ClusterDrill.HindranceOf(new Asked(null, null)).ShouldBeNull();
    }

    [Fact]
    public void A_shorter_run_replaces_no_longer_line_and_a_whole_one_every_line()
    {
        var page = DrillRows.Put(Line(20, "first"), [], times: 150).ShouldNotBeNull();
        page[^1].ShouldBe(Line(20, "first"));
        DrillRows.Put(Line(19, "shorter"), page, times: 150).ShouldBeNull();
        DrillRows.Put(Line(20, "as long"), page, times: 150).ShouldNotBeNull()[^1].ShouldBe(Line(20, "as long"));
        page = DrillRows.Put(Line(150, "whole"), page, times: 150).ShouldNotBeNull();
        DrillRows.Put(Line(149, "nearly"), page, times: 150).ShouldBeNull();
        // A whole run that is shorter than the whole ones were.
        DrillRows.Put(Line(50, "less"), page, times: 50).ShouldNotBeNull()[^1].ShouldBe(Line(50, "less"));
    }

    [Fact]
    public void A_line_replaces_that_of_its_own_row_and_coordinator_only()
    {
        var others = (string[])[Line(9, "a", row: "cut"), Line(9, "b", row: "cut-out", on: "etcd")];
        var page = others.Aggregate(
            (IReadOnlyList<string>)[], (page, line) => DrillRows.Put(line, page, times: 9).ShouldNotBeNull());
        var head = page.Count - others.Length;
        page = DrillRows.Put(Line(3, "c", row: "cut-out"), [.. page, ""], times: 9).ShouldNotBeNull();
        page.Skip(head).ShouldBe([others[0], Line(3, "c", row: "cut-out"), others[1]]);
    }

    [Theory]
    [InlineData(0.5, 1.49, "| 150 | 0.50 | 1.49 | 9.00 | 0.5 / 1.5: met |")]
    [InlineData(0.51, 1.49, "| 150 | 0.51 | 1.49 | 9.00 | 0.5 / 1.5: **not met** |")]
    [InlineData(0.5, 1.51, "| 150 | 0.50 | 1.51 | 9.00 | 0.5 / 1.5: **not met** |")]
    public void Half_of_the_rounds_and_nearly_all_have_limits_of_their_own(double half, double most, string expected)
    {
        // In the order in which rounds come: in none.
        var seconds = Enumerable.Repeat(most, 73).Append(9).Concat(Enumerable.Repeat(half, 76)).ToList();
        var (line, isMet) = DrillRows.LineOf("row", "etcd", "fault", seconds, Limits.EmbeddedFailover, "run");
        line.ShouldBe($"| row | etcd | fault {expected} run |");
        isMet.ShouldBe(!expected.Contains("not met"));
    }

    private static string Line(int rounds, string run, string row = "kill-master", string on = "embedded") =>
        DrillRows.LineOf(row, on, "fault", Enumerable.Repeat(1.0, rounds), limits: null, run).Line;

    private async Task<int> RunAsync(string[] arguments, string? hindered = null, bool isMet = true)
    {
        var drills = ((string[])["crash", "cluster", "power"]).ToDictionary(name => name, name => new Drill(
            asked =>
            {
                ran.Add(string.Join(' ', ((string?[])[name, asked.Row, asked.Coordinator]).OfType<string>()));
                return Task.FromResult(isMet);
            },
            _ => name == hindered ? Nobody : null));
        await using var told = new StringWriter(errors);
        return await DrillCommand.RunAsync(arguments, drills, ClusterDrill.Names, told);
    }
}
