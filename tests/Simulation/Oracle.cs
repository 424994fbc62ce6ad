using Hexcast.Raft;

namespace Hexcast.Simulation;

/// <summary>Sees everything, and ends the run at the first thing that must not be (Raft, figure 3).</summary>
internal sealed class Oracle
{
    private readonly Dictionary<ulong, ulong> _leaders = [];

    /// <summary>What stands before an entry is always the same (log matching): its term, and what the entry says.
    /// </summary>
    private readonly Dictionary<(ulong Index, ulong Term), (ulong PreviousTerm, ulong Content)> _entries = [];

    /// <summary>By index from 1: the entry's term, the state after it, and the term of the leader that committed it.
    /// </summary>
    private readonly List<(ulong Term, ulong State, ulong CommittedIn)> _applied = [];

    public ulong LastCommitted => (ulong)_applied.Count;

    public ulong Elections { get; private set; }

    public ulong TermOf(ulong index) => _applied[(int)index - 1].Term;

    /// <summary>Election safety, and leader completeness.</summary>
    public void Leads(RaftCore core)
    {
        Elections++;
        if (!_leaders.TryAdd(core.Term, core.Id) && _leaders[core.Term] != core.Id)
        {
            throw new ViolationException($"n{_leaders[core.Term]} and n{core.Id} both led term {core.Term}");
        }
        for (var index = core.Log.FirstIndex; index <= LastCommitted; index++)
        {
            // A candidate may win an old term late; it owes nothing to later ones.
            if (_applied[(int)index - 1].CommittedIn < core.Term && !core.Log.Holds(index, TermOf(index)))
            {
                throw new ViolationException(
                    $"n{core.Id} leads term {core.Term} without the committed entry {TermOf(index)}/{index}");
            }
        }
    }

    public void Appends(RaftCore core, Entry entry)
    {
        core.Log.TryTermAt(entry.Index - 1, out var previous);
        var content = (previous, ContentOf(entry));
        if (!_entries.TryAdd((entry.Index, entry.Term), content)
            && _entries[(entry.Index, entry.Term)] != content)
        {
            throw new ViolationException($"n{core.Id}'s entry {entry.Term}/{entry.Index} is another one elsewhere");
        }
    }

    /// <summary>Members are those of the last entry about them: taken back with it.</summary>
    public static void HasTheMembersOfItsLog(RaftCore core)
    {
        var members = core.Log.Snapshot.Members;
        for (var index = core.Log.LastIndex; index >= core.Log.FirstIndex; index--)
        {
            if (core.Log[index] is { Kind: EntryKind.Membership } entry)
            {
                members = index > core.Log.Snapshot.Index ? Members.Decode(entry.Payload.Span) : members;
                break;
            }
        }
        if (members.ToString() != core.Members.ToString())
        {
            throw new ViolationException($"n{core.Id} takes {core.Members} for the members; its log says {members}");
        }
    }

    /// <summary>State machine safety. The first to apply is the leader that committed it: a majority has it on its
    /// disks at that moment, or the acknowledgement that follows is a lie.</summary>
    public void Applies(RaftCore core, Entry entry, Registers state, Func<ulong, ulong, ulong, bool> isDurableAt)
    {
        if (entry.Index <= LastCommitted)
        {
            IsAt(core.Id, entry.Index, entry.Term, state);
            return;
        }
        if (entry.Index != LastCommitted + 1)
        {
            throw new ViolationException($"n{core.Id} applied {entry.Index} after {LastCommitted}");
        }
        _applied.Add((entry.Term, state.Digest, core.Term));
        var members = core.Members;
        var copies = members.Voters.Count(voter => isDurableAt(voter, entry.Index, entry.Term));
        if (core.Role == RaftRole.Leader && copies < members.Quorum)
        {
            throw new ViolationException(
                $"n{core.Id} committed {entry.Term}/{entry.Index}, "
                + $"durable at {copies} of {members.Voters.Count} voters");
        }
    }

    public void IsAt(ulong node, ulong index, ulong term, Registers state)
    {
        if (index > 0 && (index > LastCommitted || TermOf(index) != term
            || _applied[(int)index - 1].State != state.Digest))
        {
            throw new ViolationException($"n{node} has another state at {term}/{index} than others have");
        }
    }

    private static ulong ContentOf(Entry entry)
    {
        var content = (ulong)entry.Kind;
        foreach (var one in entry.Payload.Span)
        {
            content = Dice.Mix(content ^ one);
        }
        return content;
    }
}
