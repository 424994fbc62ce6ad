using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;

namespace Hexcast.Simulation.Coordinators;

/// <summary>
/// Follows a prefix from member to member, as the client does: it resumes behind what it has, and reads anew what was
/// compacted before it came. Each event has to be the next one that the model knows.
/// </summary>
internal sealed class GroupWatcher(Group group, string prefix, string end, Func<GroupMember>? where = null)
{
    private readonly Dice _dice = group.World.Dice;
    private GroupMember? _at;
    private long _stream;
    private long _next;
    private int _known;
    private int _life;
    private long _floor;
    private bool _isCreated;
    private TimeSpan _lastTaken;

    public int Events { get; private set; }

    /// <summary>All that there is, before the first change and after a gap.</summary>
    public Action<IReadOnlyList<KeyValue>>? Resynced { get; init; }

    public Action<Event>? Changed { get; init; }

    /// <summary>It has seen all that there is.</summary>
    public bool IsCurrent
    {
        get
        {
            SkipOthers();
            return _next > 0 && _isCreated && _known == group.Oracle.Model.Changes.Count;
        }
    }

    /// <summary>One key, as every change leaves it, from what it is now.</summary>
    public static GroupWatcher OfKey(Group group, string key, Func<GroupMember>? where, Action<KeyValue?> told) =>
        Below(group, key, 0, where, all => told(all.Count > 0 ? all[0] : null), change =>
            told(change.Type == Event.Types.EventType.Put ? change.Kv : null));

    /// <param name="from">Behind what has been read; 0: it reads.</param>
    public static GroupWatcher Below(
        Group group, string prefix, long from, Func<GroupMember>? where, Action<IReadOnlyList<KeyValue>> resynced,
        Action<Event> changed)
    {
        var watcher = new GroupWatcher(group, prefix, $"{prefix[..^1]}{(char)(prefix[^1] + 1)}", where)
        {
            Resynced = resynced, Changed = changed,
        };
        if (from > 0)
        {
            watcher.ResumeBehind(from);
        }
        watcher.Begin();
        return watcher;
    }

    public void Stop()
    {
        _life++;
        if (_stream != 0)
        {
            _at!.Hear(new CoordinatorEvent.WatchClosed(_stream));
        }
    }

    public void Begin()
    {
        _life++;
        (_stream, _isCreated) = (0, false);
        if (_next == 0 && (Resynced is not null || _dice.Roll(0.7)))
        {
            ReadAnew();
        }
        else
        {
            Open();
        }
    }

    private void Take(int life, WatchResponse response)
    {
        var isSlow = group.Sky.SlowWatchers && !group.World.IsCalm && _dice.Roll(0.3);
        // In its order: one response after the other.
        var at = group.World.Now + _dice.Between(0.1, isSlow ? 500 : 3);
        _lastTaken = at > _lastTaken ? at : _lastTaken;
        group.World.After(_lastTaken - group.World.Now, () =>
        {
            if (life == _life)
            {
                Taken(life, response);
            }
        });
    }

    private void End()
    {
        var life = ++_life;
        group.World.After(_dice.Between(5, 200), () =>
        {
            if (life == _life)
            {
                Begin();
            }
        });
    }

    /// <summary>One stream: what it still says when another has taken its place is not heard.</summary>
    private sealed class Stream(GroupWatcher watcher, int life) : IWatchTaker
    {
        public void Take(WatchResponse response) => watcher.Take(life, response);

        public void End()
        {
            if (life == watcher._life)
            {
                watcher.End();
            }
        }
    }

    private void ReadAnew()
    {
        var life = _life;
        var request = new RangeRequest { Key = GroupClient.Text(prefix), RangeEnd = GroupClient.Text(end) };
        group.Read(where?.Invoke() ?? group.Any(), request, response =>
        {
            if (life != _life)
            {
                return;
            }
            if (response is not RangeResponse range)
            {
                End();
                return;
            }
            ResumeBehind(range.Header.Revision);
            Open();
            Resynced?.Invoke(range.Kvs);
        });
        group.World.After(TimeSpan.FromSeconds(3), () =>
        {
            if (life == _life && _stream == 0)
            {
                End();
            }
        });
    }

    private void ResumeBehind(long revision)
    {
        var changes = group.Oracle.Model.Changes;
        _next = revision + 1;
        while (_known < changes.Count && changes[_known].Revision <= revision)
        {
            _known++;
        }
    }

    private void Open()
    {
        _floor = group.Oracle.Told;
        _at = where?.Invoke() ?? group.Any();
        _stream = _at.OpenWatch(new Stream(this, _life));
        if (_stream == 0)
        {
            End();
            return;
        }
        _at.Hear(new CoordinatorEvent.WatchAsked(_stream, new WatchRequest
        {
            CreateRequest = new WatchCreateRequest
            {
                Key = GroupClient.Text(prefix), RangeEnd = GroupClient.Text(end), StartRevision = _next,
            },
        }));
    }

    private void Taken(int life, WatchResponse response)
    {
        if (response.CompactRevision > 0)
        {
            // Whatever lies before is gone; what is there now is read.
            GroupOracle.Require(
                _next < response.CompactRevision, $"a watch from {_next} was told {response.CompactRevision} is gone");
            _next = 0;
        }
        if (response.Canceled)
        {
            Leave();
            return;
        }
        if (response.Created)
        {
            _isCreated = true;
            if (_next == 0)
            {
                GroupOracle.Require(
                    response.Header.Revision >= _floor,
                    $"a watch began at {response.Header.Revision}, after {_floor} was told (I5)");
                ResumeBehind(response.Header.Revision);
            }
            return;
        }
        foreach (var happened in response.Events)
        {
            if (life == _life)
            {
                Check(happened);
            }
        }
        if (life != _life)
        {
            return;
        }
        _at!.Hear(new CoordinatorEvent.WatchTaken(_stream, response.Events.Count));
        // A client that moves on by itself.
        if (!group.World.IsCalm && _dice.Roll(0.01))
        {
            Leave();
        }
    }

    private void Leave()
    {
        _at!.Hear(new CoordinatorEvent.WatchClosed(_stream));
        End();
    }

    private void Check(Event happened)
    {
        SkipOthers();
        var changes = group.Oracle.Model.Changes;
        var (key, value) = (happened.Kv.Key.ToStringUtf8(),
            happened.Type == Event.Types.EventType.Put ? happened.Kv.Value.ToStringUtf8() : null);
        var expected = _known < changes.Count ? changes[_known] : default;
        GroupOracle.Require(
            expected == (happened.Kv.ModRevision, key, value),
            $"a watch of {prefix} was told {key}={value} at {happened.Kv.ModRevision} where {expected} comes next");
        _known++;
        // A revision comes whole, in one response.
        _next = happened.Kv.ModRevision + 1;
        Events++;
        Changed?.Invoke(happened);
    }

    private void SkipOthers()
    {
        var changes = group.Oracle.Model.Changes;
        while (_known < changes.Count && !(string.CompareOrdinal(changes[_known].Key, prefix) >= 0
            && string.CompareOrdinal(changes[_known].Key, end) < 0))
        {
            _known++;
        }
    }
}
