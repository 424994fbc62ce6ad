using Google.Protobuf;
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
    private int _grants;

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
        var grant = new Command { LeaseGrant = new LeaseGrantRequest { TTL = Seconds, ID = NewName() } };
        Once(answered => group.Propose(group.Any(), grant, answered), response =>
        {
            if (response is not LeaseGrantResponse granted)
            {
                Think();
                return;
            }
            Promised(granted.ID, asked);
            Hang(granted.ID);
            Keep(granted.ID, 1 + _dice.Below(4));
        });
    }

    /// <summary>Every other lease is named by its holder, below the names that leaders give; 0: the leader names it.
    /// </summary>
    private long NewName() => ++_grants % 2 == 0 ? ((long)number << 20) + _grants : 0;

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

    private void Keep(long lease, int times) => group.World.After(_dice.Between(50, 600), () =>
    {
        if (times == 0)
        {
            Leave(lease);
            return;
        }
        var asked = group.World.Now;
        Once(
            answered => new GroupRequest(
                group, group.Deposed ?? group.Any(), id => new CoordinatorEvent.KeepAlive(id, lease), ofLeader: true,
                isRepeatable: true, outcome => answered(outcome?.Response)).Begin(),
            response =>
            {
                if (response is LeaseKeepAliveResponse { TTL: > 0 })
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
            group.Propose(group.Any(), command, _ => { });
        }
        Think();
    }

    private void Promised(long lease, TimeSpan asked) => group.Oracle.Promised(lease, Promise(asked));

    /// <summary>Without an answer nobody waits for ever.</summary>
    private void Once(Action<Action<IMessage?>> ask, Action<IMessage?> done)
    {
        var isOver = false;
        ask(Answered);
        group.World.After(TimeSpan.FromMilliseconds(2_500), () => Answered(null));

        void Answered(IMessage? response)
        {
            if (!isOver)
            {
                isOver = true;
                done(response);
            }
        }
    }
}
