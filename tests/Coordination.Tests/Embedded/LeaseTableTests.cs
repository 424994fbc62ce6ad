using Hexcast.Coordination.Embedded.Leases;

namespace Hexcast.Coordination.Tests.Embedded;

public sealed class LeaseTableTests
{
    private static readonly TimeSpan Due = TimeSpan.FromSeconds(3);

    [Fact]
    public void Leases_that_are_granted_and_revoked_over_and_over_leave_nothing_behind()
    {
        var table = new LeaseTable();
        table.Grant(1, 3, TimeSpan.Zero);
        table.Grant(2, 3, TimeSpan.Zero);
        ComeAndGo(table);
        table.KeepAlive(2, Due).ShouldBe(3);
        ComeAndGo(table);
        table.TakeExpired(Due, limit: 10).ShouldBe([1]);

        // Named, it is named again only when it has to be.
        ComeAndGo(table);
        table.TakeExpired(Due, limit: 10).ShouldBeEmpty();
        table.Unname([1]);
        ComeAndGo(table);
        table.TakeExpired(2 * Due, limit: 10).ShouldBe([1, 2], ignoreOrder: true);
    }

    private static void ComeAndGo(LeaseTable table)
    {
        for (var id = 100; id < 10_100; id++)
        {
            table.Grant(id, 60, TimeSpan.Zero);
            table.Remove(id);
            table.QueuedDeadlines.ShouldBeLessThanOrEqualTo(6, "twice as many as there are leases");
        }
    }
}
