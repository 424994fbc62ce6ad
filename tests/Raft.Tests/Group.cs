using System.Text;

namespace Hexcast.Raft.Tests;

/// <summary>A group whose network and disks answer at once and in order, unless a test cuts a line or holds a disk.
/// What happens is written down in words.</summary>
internal sealed class Group
{
    private static readonly TimeSpan Grain = TimeSpan.FromMilliseconds(10);

    private readonly StringBuilder _script = new();
    private readonly Queue<(ulong From, ulong To, RaftMessage Message)> _wire = new();
    private readonly HashSet<(ulong From, ulong To)> _cut = [];
    private readonly RaftOptions _options;
    private readonly Members _first;
    private long _lastRequest;

    public Group(int voters, RaftOptions? options = null)
    {
        _options = options ?? new RaftOptions();
        _first = Members.Of(Enumerable.Range(1, voters).Select(i => (ulong)i));
        foreach (var voter in _first.Voters)
        {
            Boot(voter);
        }
    }

    public TimeSpan Now { get; private set; }

    public Dictionary<ulong, Node> Nodes { get; } = [];

    public string Script => _script.ToString();

    public Node this[ulong id] => Nodes[id];

    public Node Leader => Nodes.Values.Where(n => n.Core.Role == RaftRole.Leader).MaxBy(n => n.Core.Term)!;

    /// <summary>A new process on what is durable of this node.</summary>
    public Node Boot(ulong id, Members? members = null, ulong? unreadableFrom = null)
    {
        var disk = Nodes.TryGetValue(id, out var before) ? before.Disk
            : new TestDisk(SnapshotMark.Start(members ?? _first));
        if (unreadableFrom is { } from)
        {
            disk.Entries.RemoveAll(e => e.Index >= from);
        }
        var setup = new RaftSetup(id, _options, id * 1000 + (ulong)Now.Ticks, "t"u8.ToArray());
        Nodes[id] = new Node(id, new RaftCore(setup, disk.Recovered(), Now), disk);
        if (unreadableFrom is { } lost)
        {
            Step(id, new RaftEvent.LogUnreadable(lost), $"n{id} cannot read its log from {lost} on");
        }
        return Nodes[id];
    }

    public void Crash(ulong id)
    {
        Nodes[id].IsUp = false;
        Nodes[id].Unsynced.Clear();
        Say($"n{id} crashes");
    }

    public Group Elect(ulong id)
    {
        Pass(_options.ElectionTimeoutMinimum - Grain);
        Say($"n{id} hears nobody for an election timeout");
        Nodes[id].Late = Nodes[id].Core.Deadline - Now;
        Step(id, RaftEvent.Tick.Now);
        Nodes[id].Late = TimeSpan.Zero;
        Settle();
        Nodes[id].Core.Role.ShouldBe(RaftRole.Leader);
        return this;
    }

    public long Propose(ulong id, string what)
    {
        Step(id, new RaftEvent.Propose(++_lastRequest, Encoding.UTF8.GetBytes(what)), $"n{id} is asked for \"{what}\"");
        Settle();
        return _lastRequest;
    }

    public long Read(ulong id)
    {
        Step(id, new RaftEvent.Read(++_lastRequest), $"n{id} is asked for a read");
        Settle();
        return _lastRequest;
    }

    public long Change(ulong id, MemberChange change, ulong node)
    {
        Step(id, new RaftEvent.ChangeMembers(++_lastRequest, change, node), $"n{id} is to {change} n{node}");
        Settle();
        return _lastRequest;
    }

    public long Transfer(ulong id, ulong to, ulong ofTerm = 0)
    {
        Step(id, new RaftEvent.TransferLeadership(++_lastRequest, to, ofTerm), $"n{id} is to hand over to n{to}");
        Settle();
        return _lastRequest;
    }

    public void Snapshot(ulong id)
    {
        var core = Nodes[id].Core;
        Nodes[id].Disk.Snapshot = core.Log.MarkOf(core.Commit);
        Nodes[id].Disk.SnapshotBytes = Encoding.UTF8.GetBytes(string.Join(',', Nodes[id].Applied));
        Step(id, new RaftEvent.SnapshotSaved(core.Commit), $"n{id} has a snapshot at {core.Commit}");
    }

    public void Cut(ulong from, ulong to) => _cut.Add((from, to));

    public void Isolate(ulong id)
    {
        Say($"n{id} is cut off");
        foreach (var other in Nodes.Keys)
        {
            _cut.Add((id, other));
            _cut.Add((other, id));
        }
    }

    public void Heal()
    {
        Say("the network heals");
        _cut.Clear();
    }

    /// <summary>Its disk answers again for everything that was handed to it.</summary>
    public void Sync(ulong id)
    {
        Say($"n{id}'s disk answers");
        Nodes[id].HoldsDisk = false;
        SyncOne(id);
        Settle();
    }

    public void Pass(TimeSpan time)
    {
        for (var until = Now + time; Now < until;)
        {
            Now += Grain;
            foreach (var node in Nodes.Values.Where(n => n.IsUp && n.Core.Deadline <= Now).ToList())
            {
                Step(node.Id, RaftEvent.Tick.Now);
            }
            Settle();
        }
    }

    public void Until(Func<bool> holds)
    {
        for (var limit = Now + TimeSpan.FromSeconds(20); !holds(); Pass(Grain))
        {
            Now.ShouldBeLessThan(limit, $"it never came to that:\n{Script}");
        }
    }

    public void Settle()
    {
        while (true)
        {
            var writing = Nodes.Values.FirstOrDefault(n => n is { IsUp: true, HoldsDisk: false, Unsynced.Count: > 0 });
            if (writing is { } node)
            {
                SyncOne(node.Id);
            }
            else if (_wire.TryDequeue(out var sent))
            {
                if (Nodes.TryGetValue(sent.To, out var to) && to.IsUp && !_cut.Contains((sent.From, sent.To)))
                {
                    Step(sent.To, new RaftEvent.Received(sent.Message));
                }
            }
            else
            {
                return;
            }
        }
    }

    public void Step(ulong id, RaftEvent happened, string? words = null)
    {
        if (words is not null)
        {
            Say(words);
        }
        var node = Nodes[id];
        var effects = new List<RaftEffect>();
        node.Core.Step(happened, Now + node.Late, effects);
        foreach (var effect in effects)
        {
            node.Effects.Add(effect);
            if (Words.Of(effect) is { } said)
            {
                _script.Append("          n").Append(id).Append(' ').AppendLine(said);
            }
            Execute(node, effect);
        }
    }

    private void Execute(Node node, RaftEffect effect)
    {
        switch (effect)
        {
            case RaftEffect.Persist persist:
                node.Unsynced.Add(persist);
                break;
            case RaftEffect.Send send:
                _wire.Enqueue((node.Id, send.To, send.Message));
                break;
            case RaftEffect.Apply apply:
                node.Applied.AddRange(apply.Entries.Where(e => e.Kind == EntryKind.Command)
                    .Select(e => Encoding.UTF8.GetString(e.Payload.Span)));
                break;
            case RaftEffect.ReadSnapshotChunk read:
                var bytes = node.Disk.SnapshotBytes.AsMemory((int)read.Offset);
                var piece = bytes[..Math.Min(bytes.Length, read.MaximumBytes)];
                Step(node.Id, new RaftEvent.SnapshotChunkRead(
                    read.To, read.SnapshotIndex, read.Offset, piece, piece.Length == bytes.Length));
                break;
            case RaftEffect.StoreSnapshotChunk store:
                node.Disk.Incoming = [.. node.Disk.Incoming[..(int)store.Offset], .. store.Bytes.Span];
                Step(node.Id, new RaftEvent.SnapshotChunkStored(
                    store.Mark.Index, node.Disk.Incoming.Length, store.IsLast));
                break;
            case RaftEffect.InstallSnapshot install:
                (node.Disk.Snapshot, node.Disk.SnapshotBytes) = (install.Mark, node.Disk.Incoming);
                node.Disk.Entries.Clear();
                node.Applied.Clear();
                node.Applied.AddRange(Encoding.UTF8.GetString(node.Disk.Incoming).Split(','));
                Step(node.Id, new RaftEvent.SnapshotInstalled(install.Mark.Index));
                break;
        }
    }

    private void SyncOne(ulong id)
    {
        var node = Nodes[id];
        var last = node.Unsynced[^1].Sequence;
        node.Unsynced.ForEach(node.Disk.Write);
        node.Unsynced.Clear();
        Step(id, new RaftEvent.Persisted(last));
    }

    private void Say(string words) => _script.AppendLine($"{Now.TotalSeconds,6:0.000}  {words}");
}

internal sealed class Node(ulong id, RaftCore core, TestDisk disk)
{
    public ulong Id => id;

    public RaftCore Core => core;

    public TestDisk Disk => disk;

    public bool IsUp { get; set; } = true;

    /// <summary>Writes wait until the test lets them through.</summary>
    public bool HoldsDisk { get; set; }

    /// <summary>How much later than the group's this node's clock is.</summary>
    public TimeSpan Late { get; set; }

    public List<RaftEffect.Persist> Unsynced { get; } = [];

    public List<RaftEffect> Effects { get; } = [];

    public List<string> Applied { get; } = [];

    public IEnumerable<T> Sent<T>() where T : RaftMessage =>
        Effects.OfType<RaftEffect.Send>().Select(s => s.Message).OfType<T>();

    public RaftError RefusalOf(long request) => Effects.OfType<RaftEffect.Refused>()
        .Where(r => r.RequestId == request).Select(r => r.Error).SingleOrDefault();

    public bool HasRead(long request) => Effects.OfType<RaftEffect.ReadReady>().Any(r => r.RequestId == request);
}

internal sealed class TestDisk(SnapshotMark snapshot)
{
    public HardState HardState { get; set; }

    public SnapshotMark Snapshot { get; set; } = snapshot;

    public byte[] SnapshotBytes { get; set; } = [];

    public byte[] Incoming { get; set; } = [];

    public List<Entry> Entries { get; } = [];

    public void Write(RaftEffect.Persist persist)
    {
        HardState = persist.HardState ?? HardState;
        Entries.RemoveAll(e => persist.TruncateFrom > 0 && e.Index >= persist.TruncateFrom);
        Entries.AddRange(persist.Entries);
    }

    public Recovered Recovered() => new(HardState, Snapshot, [.. Entries.Where(e => e.Index > Snapshot.Index)]);
}
