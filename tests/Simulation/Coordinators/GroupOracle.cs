using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Simulation.Coordinators;

/// <summary>
/// Sees what every member applies, and what every client is told. The log that they agree on is the witness: every
/// answer has to be the model's at its place in it, and the places have to follow each other as the calls did in time.
/// </summary>
internal sealed class GroupOracle(World world)
{
    public const string ElectionKey = StateMachine.ElectionKeyText;

    private readonly List<(ulong Term, byte[] Payload, long Revision, ModelOutcome Outcome)> _log = [];
    private readonly Dictionary<ulong, ulong> _leaders = [];
    private readonly Dictionary<long, int> _byRevision = [];
    private IReadOnlyList<ulong> _members = [];
    private readonly HashSet<string> _written = new(StringComparer.Ordinal);
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);
    private readonly Dictionary<long, TimeSpan> _ended = [];
    private long _lastFence;

    public KeyValueModel Model { get; } = new();

    /// <summary>Revision of the last thing that somebody was told: nobody may be told of less.</summary>
    public long Told { get; private set; }

    public int Elections { get; private set; }

    /// <summary>Those who were members and are no more, for good.</summary>
    public HashSet<ulong> Removed { get; } = [];

    public ulong LastIndex => (ulong)_log.Count;

    /// <summary>Each command once, in order, as soon as the first member has applied it.</summary>
    public Action<Command, ModelOutcome>? Committed { get; set; }

    public static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new ViolationException(otherwise);
        }
    }

    public void Leads(ulong member, ulong term)
    {
        Elections++;
        Require(
            _leaders.TryAdd(term, member) || _leaders[term] == member,
            $"n{_leaders[term]} and n{member} both led term {term} (I3)");
    }

    public void Applies(ulong member, Entry entry)
    {
        var payload = entry.Payload.ToArray();
        if (entry.Index <= LastIndex)
        {
            var known = _log[(int)entry.Index - 1];
            Require(
                known.Term == entry.Term && known.Payload.AsSpan().SequenceEqual(payload),
                $"n{member} applied another entry {entry.Term}/{entry.Index} than others did, of {known.Term} (I1)");
            return;
        }
        Require(entry.Index == LastIndex + 1, $"n{member} applied {entry.Index} after {LastIndex}");
        var command = entry.Kind == EntryKind.Membership ? new Command() : Command.Parser.ParseFrom(payload);
        if (entry.Kind == EntryKind.Membership)
        {
            var before = _members;
            _members = [.. Members.Decode(payload).All];
            Removed.UnionWith(before.Except(_members));
        }
        NoteEndOfLeases(command);
        var outcome = Model.Apply(command);
        _log.Add((entry.Term, payload, Model.Revision, outcome));
        // Those behind that change nothing have no revision of their own.
        _byRevision.TryAdd(Model.Revision, _log.Count - 1);
        foreach (var value in outcome.Error == CoordinatorError.None ? ValuesOf(command) : [])
        {
            Require(_written.Add(value), $"{value} was written twice, and asked for once");
            Require(!_refused.Contains(value), $"{value} was written, and somebody was told that it was not");
        }
        if (command.KindCase == Command.KindOneofCase.TermStart)
        {
            var fence = Model.At(ElectionKey, Model.Revision)!.Created;
            Require(fence > _lastFence, $"the fence {fence} is not above {_lastFence} (I3)");
            _lastFence = fence;
        }
        Committed?.Invoke(command, outcome);
    }

    /// <summary>After the entries up to this one a member's store stands where the model did.</summary>
    public void IsAt(ulong member, ulong index, long revision) => Require(
        index == 0 || (index <= LastIndex && _log[(int)index - 1].Revision == revision),
        $"n{member} is at revision {revision} after entry {index}");

    /// <summary>Somebody was told that this was not done and never will be.</summary>
    public void NotDone(Command command)
    {
        foreach (var value in ValuesOf(command))
        {
            _refused.Add(value);
            Require(!_written.Contains(value), $"{value} was written, and somebody was told that it was not");
        }
    }

    /// <param name="floor">What had been told before this was asked.</param>
    public void Answered(Command command, long floor, IMessage response)
    {
        var (revision, told) = response switch
        {
            PutResponse put => (put.Header.Revision, "put"),
            DeleteRangeResponse deleted => (deleted.Header.Revision, $"{deleted.Deleted} deleted"),
            TxnResponse txn => (txn.Header.Revision, KeyValueModel.Told(txn)),
            _ => (0, ""),
        };
        if (revision > 0)
        {
            Answered(command, floor, revision, told);
        }
    }

    public void Read(IMessage request, long floor, IMessage response)
    {
        var isSerializable = request is RangeRequest { Serializable: true };
        var (revision, told) = response is TxnResponse txn
            ? (txn.Header.Revision, KeyValueModel.Told(txn))
            : (((RangeResponse)response).Header.Revision, KeyValueModel.Told((RangeResponse)response));
        Require(isSerializable || revision >= floor, $"{request} saw {revision}, after {floor} was told (I5)");
        var expected = request is TxnRequest asked
            ? Model.Read(asked, revision)
            : Model.Told((RangeRequest)request, revision);
        Require(expected == told, $"{request} was told {told} at {revision}, where there was {expected} (I5)");
        Told = isSerializable ? Told : Math.Max(Told, revision);
    }

    private void Answered(Command command, long floor, long revision, string told)
    {
        Require(
            _byRevision.TryGetValue(revision, out var at),
            $"{command} was acknowledged at revision {revision}, and nobody has that (I1)");
        Require(revision >= floor, $"{command} was done at {revision}, after {floor} was told (I5)");
        var (_, payload, _, outcome) = _log[at];
        if (told == "0 deleted")
        {
            var range = command.DeleteRange;
            Require(
                !Model.Range(range.Key.ToStringUtf8(), range.RangeEnd.ToStringUtf8(), revision).Any(),
                $"{command} was told {told} at {revision}, where there is something (I5)");
        }
        else if (outcome.Told != told || outcome.Error != CoordinatorError.None
            || !payload.AsSpan().SequenceEqual(command.ToByteArray()))
        {
            // It changed nothing, so it has no revision of its own.
            var changes = command.KindCase switch
            {
                Command.KindOneofCase.Put or Command.KindOneofCase.DeleteRange => true,
                Command.KindOneofCase.Txn => told.StartsWith("then", StringComparison.Ordinal),
                _ => false,
            };
            Require(
                !changes, $"{command} was told {told} at {revision}, where another one stands (I1)");
            Require(
                command.KindCase != Command.KindOneofCase.Txn || Model.Read(command.Txn, revision) == told,
                $"{command} was told {told} at {revision} (I5)");
        }
        Told = Math.Max(Told, revision);
    }

    /// <summary>Somebody was told that this lease stays at least until then.</summary>
    public void Promised(long lease, TimeSpan until) => Require(
        !_ended.TryGetValue(lease, out var end) || end >= until,
        $"lease {lease:x} ended at {end}, and was promised until {until}");

    public bool HasEnded(long lease) => _ended.ContainsKey(lease);

    /// <summary>By lease: the latest time that somebody was promised.</summary>
    public Dictionary<long, TimeSpan> Promises { get; } = [];

    private void NoteEndOfLeases(Command command)
    {
        if (command.KindCase != Command.KindOneofCase.LeaseExpire)
        {
            return;
        }
        foreach (var id in command.LeaseExpire.Ids)
        {
            _ended.TryAdd(id, world.Now);
            if (Promises.TryGetValue(id, out var until))
            {
                Promised(id, until);
            }
        }
    }

    /// <summary>What a <see cref="GroupClient"/> writes is different each time.</summary>
    private static IEnumerable<string> ValuesOf(Command command) => command.KindCase switch
    {
        Command.KindOneofCase.Put when IsClients(command.Put) => [command.Put.Value.ToStringUtf8()],
        Command.KindOneofCase.Txn => command.Txn.Success.Select(o => o.RequestPut)
            .Where(put => put is not null && IsClients(put)).Select(put => put.Value.ToStringUtf8()).Take(1),
        _ => [],
    };

    private static bool IsClients(PutRequest put) => put.Key.Span.StartsWith("/k/"u8);
}
