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

    /// <summary>Entries that somebody was answered for: nobody else is.</summary>
    private readonly HashSet<int> _answered = [];
    private readonly Dictionary<ulong, ulong> _leaders = [];
    private IReadOnlyList<ulong> _members = [];
    private readonly HashSet<string> _written = new(StringComparer.Ordinal);
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);
    private readonly Dictionary<long, TimeSpan> _ended = [];
    private long _lastFence;

    public KeyValueModel Model { get; } = new();

    /// <summary>Revision of the last thing that somebody was told: nobody may be told of less.</summary>
    public long Told { get; private set; }

    /// <summary>Entries up to the last one that somebody was answered for: what is asked later stands behind it.
    /// </summary>
    public int ToldEntries { get; private set; }

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
    private void NotDone(Command command)
    {
        foreach (var value in ValuesOf(command))
        {
            _refused.Add(value);
            Require(!_written.Contains(value), $"{value} was written, and somebody was told that it was not");
        }
    }

    /// <summary>
    /// Whatever the state machine has answered stands in the log with that answer: an acknowledgement that is not there
    /// is lost. Also of leases and compactions, which no revision tells apart.
    /// </summary>
    /// <param name="behind">Entries that somebody had been answered for before this was asked.</param>
    public void Answered(Command command, int behind, Outcome outcome)
    {
        if (outcome.Response is null)
        {
            NotDone(command);
            if (!IsOfState(outcome.Error))
            {
                return;
            }
        }
        var (revision, told) = KeyValueModel.Told(outcome.Response);
        var payload = AsLogged(command, outcome.Response).ToByteArray();
        for (var at = behind; at < _log.Count; at++)
        {
            var entry = _log[at];
            if (entry.Outcome == new ModelOutcome(outcome.Error, told)
                && (outcome.Response is null || entry.Revision == revision)
                && entry.Payload.AsSpan().SequenceEqual(payload) && _answered.Add(at))
            {
                ToldEntries = Math.Max(ToldEntries, at + 1);
                Told = Math.Max(Told, entry.Revision);
                return;
            }
        }
        throw new ViolationException(
            $"{command} was answered {told}{outcome.Error} at {revision}, and after entry {behind} none says so (I1)");
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

    /// <summary>By lease: the latest time that somebody was promised.</summary>
    public Dictionary<long, TimeSpan> Promises { get; } = [];

    /// <summary>Somebody was told that this lease stays at least until then.</summary>
    public void Promised(long lease, TimeSpan until)
    {
        Require(_written.Contains(NameOf(lease)), $"lease {lease:x} is kept alive, and was never granted (I1)");
        Promises[lease] = Promises.TryGetValue(lease, out var before) && before > until ? before : until;
        StaysAsPromised(lease);
    }

    private void StaysAsPromised(long lease)
    {
        if (_ended.TryGetValue(lease, out var end) && Promises.TryGetValue(lease, out var until))
        {
            Require(end >= until, $"lease {lease:x} ended at {end}, and was promised until {until}");
        }
    }

    private void NoteEndOfLeases(Command command)
    {
        if (command.KindCase != Command.KindOneofCase.LeaseExpire)
        {
            return;
        }
        foreach (var id in command.LeaseExpire.Ids)
        {
            _ended.TryAdd(id, world.Now);
            StaysAsPromised(id);
        }
    }

    /// <summary>Errors that only applying an entry can tell; all others say that there is none.</summary>
    private static bool IsOfState(CoordinatorError error) => error is CoordinatorError.LeaseNotFound
        or CoordinatorError.LeaseExists or CoordinatorError.LeaseTimeTooLarge or CoordinatorError.TooManyLeases
        or CoordinatorError.Compacted or CoordinatorError.FutureRevision;

    /// <summary>The leader names leases whose holders have not.</summary>
    private static Command AsLogged(Command command, IMessage? response)
    {
        if (response is LeaseGrantResponse granted)
        {
            command = command.Clone();
            (command.LeaseGrant.ID, command.LeaseGrant.TTL) = (granted.ID, granted.TTL);
        }
        return command;
    }

    private static string NameOf(long lease) => $"lease {lease:x}";

    /// <summary>What a <see cref="GroupClient"/> writes is different each time, and so is a lease's name.</summary>
    private static IEnumerable<string> ValuesOf(Command command) => command.KindCase switch
    {
        Command.KindOneofCase.Put when IsClients(command.Put) => [command.Put.Value.ToStringUtf8()],
        Command.KindOneofCase.Txn => command.Txn.Success.Select(o => o.RequestPut)
            .Where(put => put is not null && IsClients(put)).Select(put => put.Value.ToStringUtf8()).Take(1),
        Command.KindOneofCase.LeaseGrant when command.LeaseGrant.ID != 0 => [NameOf(command.LeaseGrant.ID)],
        Command.KindOneofCase.LeaseRevoke => [$"the end of {NameOf(command.LeaseRevoke.ID)}"],
        _ => [],
    };

    private static bool IsClients(PutRequest put) => put.Key.Span.StartsWith("/k/"u8);
}
