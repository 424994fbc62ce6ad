using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Election;
using Hexcast.Simulation.Coordinators;
using Compare = Hexcast.Coordination.Client.Compare;
using Write = Hexcast.Coordination.Client.Operation;

namespace Hexcast.Simulation.Jobs;

/// <summary>
/// Whether a node is the master, as <see cref="MasterElection"/> knows it: by the key that whoever leads the log has
/// written; or, where nodes stand, by the key under a lease that it keeps alive, which ends here before it does there.
/// </summary>
internal sealed class JobElection(Group group, GroupMember member, bool stands, Action<long> told)
{
    private const int Renewals = 3;

    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);

    private readonly TimeSpan _leaseTime = MasterElection.LeaseTime;
    private GroupWatcher? _keys;
    private int _standing;
    private TimeSpan _until;
    private long _lease;

    public void Begin()
    {
        if (stands)
        {
            Stand();
            return;
        }
        _keys = Follow(key => told(IsOwn(key) ? key!.CreateRevision : 0));
    }

    public void End()
    {
        _standing++;
        _keys?.Stop();
        _keys = null;
    }

    private bool IsOwn(KeyValue? key) => key?.Value.ToStringUtf8() == member.Name;

    private GroupWatcher Follow(Action<KeyValue?> changed) => GroupWatcher.OfKey(
        group, GroupOracle.ElectionKey, () => member, key => member.Do(() => changed(key)));

    private void Stand()
    {
        var (standing, asked) = (++_standing, member.LocalNow);
        Propose(standing, new Command { LeaseGrant = new LeaseGrantRequest { TTL = (long)_leaseTime.TotalSeconds } },
            response =>
            {
                if (response is not LeaseGrantResponse granted)
                {
                    In(standing, Retry, Stand);
                    return;
                }
                (_lease, _until) = (granted.ID, asked + _leaseTime);
                LoseIn(standing);
                In(standing, _leaseTime / Renewals, () => Renew(standing));
                _keys = Follow(key => In(standing, TimeSpan.Zero, () => Told(standing, key)));
            });
    }

    private void Told(int standing, KeyValue? key)
    {
        told(key?.Lease == _lease ? key.CreateRevision : 0);
        if (key is null || (IsOwn(key) && key.Lease != _lease))
        {
            Claim(standing, key);
        }
    }

    /// <summary>A key of its own last life goes first, in a revision of its own.</summary>
    private void Claim(int standing, KeyValue? old)
    {
        const string key = GroupOracle.ElectionKey;
        var isThere = old is not null;
        var guard = isThere ? Compare.CreateRevision(key).EqualTo(old!.CreateRevision) : Compare.Missing(key);
        var write = isThere
            ? Write.Delete(key)
            : Write.Put(key, Google.Protobuf.ByteString.CopyFromUtf8(member.Name), _lease);
        Propose(
            standing,
            new Command { Txn = new TxnRequest { Compare = { guard.Message }, Success = { write.Message } } },
            response =>
            {
                if (response is null)
                {
                    In(standing, Retry, () => Claim(standing, old));
                }
                else if (isThere)
                {
                    Claim(standing, null);
                }
            });
    }

    /// <summary>A leader that has been cut off would renew: the read is answered by one that leads now.</summary>
    private void Renew(int standing)
    {
        var (asked, isOver) = (member.LocalNow, false);
        var key = new RangeRequest { Key = GroupClient.Text(GroupOracle.ElectionKey) };
        group.Read(member, key, read => member.Do(() =>
        {
            if (read is null || standing != _standing)
            {
                Over();
                return;
            }
            new GroupRequest(
                group, member, id => new CoordinatorEvent.KeepAlive(id, _lease), ofLeader: true, isRepeatable: true,
                outcome => member.Do(() =>
                {
                    if (standing == _standing && outcome?.Response is LeaseKeepAliveResponse { TTL: > 0 })
                    {
                        _until = asked + _leaseTime;
                    }
                    Over();
                })).Begin();
        }));
        In(standing, _leaseTime / Renewals, Over);

        void Over()
        {
            if (!isOver)
            {
                isOver = true;
                In(standing, _leaseTime / Renewals, () => Renew(standing));
            }
        }
    }

    private void LoseIn(int standing) => In(standing, _until - member.LocalNow, () =>
    {
        if (member.LocalNow < _until)
        {
            LoseIn(standing);
            return;
        }
        End();
        told(0);
        Stand();
    });

    private void Propose(int standing, Command command, Action<Google.Protobuf.IMessage?> answered)
    {
        var isOver = false;
        group.Propose(member, command, response => Once(response));
        In(standing, _leaseTime, () => Once(null));

        void Once(Google.Protobuf.IMessage? response) => member.Do(() =>
        {
            if (!isOver && standing == _standing)
            {
                isOver = true;
                answered(response);
            }
        });
    }

    private void In(int standing, TimeSpan delay, Action happens) => member.After(
        delay > TimeSpan.Zero ? delay : TimeSpan.Zero, () =>
        {
            if (standing == _standing)
            {
                happens();
            }
        });
}
