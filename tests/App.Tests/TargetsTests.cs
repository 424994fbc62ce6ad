using Hexcast.App.Cli;

namespace Hexcast.App.Tests;

public sealed class TargetsTests
{
    [Fact]
    public void Each_role_needs_only_roles_that_are_there()
    {
        var names = Targets.Table.Select(target => target.Name).ToList();

        names.ShouldBeUnique();
        names.ShouldNotContain(Targets.Everything);
        Targets.Table.SelectMany(target => target.Needs.Concat(target.Calls)).Except(names).ShouldBeEmpty();
    }

    [Fact]
    public void All_selects_the_table_in_its_order() =>
        Targets.Select("all").ShouldBe(Targets.Table);

    [Fact]
    public void A_role_brings_those_that_it_needs_or_calls_in_the_order_of_the_table()
    {
        foreach (var target in Targets.Table)
        {
            var selected = Targets.Select(target.Name);

            selected.ShouldContain(target);
            selected.SelectMany(s => s.Needs.Concat(s.Calls)).ShouldBeSubsetOf(selected.Select(s => s.Name));
            selected.ShouldBe(Targets.Table.Where(selected.Contains));
        }
    }

    [Fact]
    public void A_role_whose_calls_others_answer_brings_only_what_it_needs() =>
        Targets.Select("worker", alone: false).Select(target => target.Name)
            .ShouldBe(["coordinator", "access", "worker"]);

    [Fact]
    public void An_unknown_role_is_wrong_usage() =>
        Should.Throw<CliException>(() => Targets.Select("all,nobody")).ExitCode.ShouldBe(ExitCode.Usage);
}
