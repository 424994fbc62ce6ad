using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Simulation.Coordinators;

public sealed class GroupOracleTests
{
    private static readonly ResponseHeader Now = new() { Revision = 1 };

    private static readonly Command Grant = new() { LeaseGrant = new LeaseGrantRequest { ID = 7, TTL = 2 } };

    private static readonly Outcome Granted = new(new LeaseGrantResponse { Header = Now, ID = 7, TTL = 2 });

    private readonly GroupOracle _oracle = new(new World(1));

    private ulong _entries;

    public static TheoryData<string> Acknowledged => ["granted", "granted by another name", "revoked", "compacted"];

    [Theory]
    [MemberData(nameof(Acknowledged))]
    public void What_was_acknowledged_and_is_not_in_the_log_is_lost(string what)
    {
        var (command, outcome) = Of(what);

        Lost(command, behind: 0, outcome);
    }

    [Theory]
    [MemberData(nameof(Acknowledged))]
    public void An_entry_answers_once_and_only_what_was_asked_before_it(string what)
    {
        var (command, outcome) = Of(what);
        var logged = command.Clone();
        if (logged.LeaseGrant is { } named)
        {
            named.ID = 7;
        }
        if (logged.LeaseRevoke is not null)
        {
            Append(Grant);
        }
        Append(logged);

        Lost(command, behind: (int)_entries, outcome);
        _oracle.Answered(command, 0, outcome);
        _oracle.ToldEntries.ShouldBe((int)_entries);
        Lost(command, behind: 0, outcome);
    }

    [Fact]
    public void What_was_refused_for_the_state_is_in_the_log_and_refused_there()
    {
        var revoke = new Command { LeaseRevoke = new LeaseRevokeRequest { ID = 7 } };
        Lost(revoke, behind: 0, new Outcome(null, CoordinatorError.LeaseNotFound));

        Append(revoke);

        _oracle.Answered(revoke, 0, new Outcome(null, CoordinatorError.LeaseNotFound));
    }

    [Fact]
    public void What_was_said_not_to_be_done_stays_undone()
    {
        _oracle.Answered(Grant, 0, new Outcome(null, CoordinatorError.NoLeader));

        Should.Throw<ViolationException>(() => Append(Grant));
    }

    [Fact]
    public void Nobody_keeps_a_lease_alive_that_was_never_granted()
    {
        Should.Throw<ViolationException>(() => _oracle.Promised(7, TimeSpan.FromSeconds(2)));
        Append(Grant);

        _oracle.Promised(7, TimeSpan.FromSeconds(2));
    }

    private static (Command, Outcome) Of(string what) => what switch
    {
        "granted" => (Grant, Granted),
        "granted by another name" => (new Command { LeaseGrant = new LeaseGrantRequest { TTL = 2 } }, Granted),
        "revoked" => (
            new Command { LeaseRevoke = new LeaseRevokeRequest { ID = 7 } },
            new Outcome(new LeaseRevokeResponse { Header = Now })),
        _ => (
            new Command { Compact = new CompactionRequest { Revision = 1 } },
            new Outcome(new CompactionResponse { Header = Now })),
    };

    private void Append(Command command) =>
        _oracle.Applies(1, new Entry(Term: 1, ++_entries, EntryKind.Command, command.ToByteArray()));

    private void Lost(Command command, int behind, Outcome outcome) =>
        Should.Throw<ViolationException>(() => _oracle.Answered(command, behind, outcome));
}
