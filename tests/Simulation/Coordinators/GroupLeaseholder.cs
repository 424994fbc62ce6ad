using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;

namespace Hexcast.Simulation.Coordinators;

/// <summary>Takes a lease, hangs a key on it, keeps it alive for a while, and leaves it to its end. What it is told of
/// the time that is left is a promise.</summary>
internal sealed class GroupLeaseholder(Group group, int number)
{
    private const long Seconds = 2;

    private readonly Dice _dice = group.World.Dice;
    private int _keys;

    public void Think() => group.World.After(_dice.Between(50, 1_500), Grant);

    private TimeSpan Promise(TimeSpan asked) =>
        asked + TimeSpan.FromSeconds(Seconds / (1 + group.Sky.ClockSkew / 2));

    private void Grant()
    {
        if (group.World.IsCalm)
        {
            return;
        }
        var asked = group.World.Now;
        Do(id => new CoordinatorEvent.Propose(id, new Command { LeaseGrant = new LeaseGrantRequest { TTL = Seconds } }),
            isRepeatable: false, outcome =>
            {
                if (outcome?.Response is not LeaseGrantResponse granted)
                {
                    Think();
                    return;
                }
                Promised(granted.ID, asked);
                Hang(granted.ID);
                Keep(granted.ID, 1 + _dice.Below(4));
            });
    }

    private void Hang(long lease)
    {
        var command = new Command
        {
            Put = new PutRequest
            {
                Key = GroupClient.Text($"/k/lease-{number}"), Value = GroupClient.Text($"l{number}-{++_keys}"),
                Lease = lease,
            },
        };
        group.Propose(group.Any(), command, _ => { });
    }

    private void Keep(long lease, int times) => group.World.After(_dice.Between(100, 900), () =>
    {
        if (times == 0)
        {
            Leave(lease);
            return;
        }
        var asked = group.World.Now;
        Do(id => new CoordinatorEvent.KeepAlive(id, lease), isRepeatable: true, outcome =>
        {
            if (outcome?.Response is LeaseKeepAliveResponse { TTL: > 0 })
            {
                Promised(lease, asked);
            }
            Keep(lease, times - 1);
        });
    });

    private void Leave(long lease)
    {
        if (_dice.Roll(0.3))
        {
            var command = new Command { LeaseRevoke = new LeaseRevokeRequest { ID = lease } };
            Do(id => new CoordinatorEvent.Propose(id, command), isRepeatable: false, _ => { });
        }
        Think();
    }

    private void Promised(long lease, TimeSpan asked)
    {
        var until = Promise(asked);
        var oracle = group.Oracle;
        oracle.Promises[lease] = oracle.Promises.TryGetValue(lease, out var before) && before > until ? before : until;
        oracle.Promised(lease, until);
    }

    private void Do(Func<long, CoordinatorEvent> ask, bool isRepeatable, Action<Outcome?> done)
    {
        var isOver = false;
        new GroupRequest(group, group.Any(), ask, ofLeader: true, isRepeatable, Once).Begin();
        group.World.After(TimeSpan.FromMilliseconds(2_500), () => Once(null));

        void Once(Outcome? outcome)
        {
            if (!isOver)
            {
                isOver = true;
                done(outcome);
            }
        }
    }
}
