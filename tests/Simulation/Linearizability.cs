namespace Hexcast.Simulation;

/// <summary>One operation as its client saw it.</summary>
internal sealed class Call(int client, Operation operation, long invoked)
{
    public int Client => client;

    public Operation Operation => operation;

    /// <summary>Orders, not times: of two events in a run one comes first.</summary>
    public long Invoked => invoked;

    /// <summary>Nobody knows whether it was done, until it returns: it may still happen at any time.</summary>
    public long Returned { get; set; } = long.MaxValue;

    public int Result { get; set; }

    public override string ToString() =>
        $"client {client}: {operation.Kind} key {operation.Key}"
        + operation.Kind switch
        {
            OperationKind.Get => "",
            OperationKind.Put => $" = {operation.Value}",
            _ => $" {operation.Expected} → {operation.Value}",
        }
        + (Returned == long.MaxValue ? $" [{invoked}, …)" : $" [{invoked}, {Returned}] answered {Result}");
}

/// <summary>
/// Is there an order of the calls, each between its begin and its end, in which a single register would have answered
/// so? Wing and Gong's search with Lowe's memory of what was tried; registers are independent, so each key is
/// judged by itself.
/// </summary>
internal static class Linearizability
{
    /// <summary>States tried for one key. Far above what a run needs: beyond it nothing is decided.</summary>
    private const int MaximumSteps = 8_000_000;

    /// <returns>The longest order that was found, if no order holds them all; otherwise null.</returns>
    public static IReadOnlyList<Call>? FindFault(IEnumerable<Call> calls) => calls
        // What was read by somebody who never learnt it says nothing.
        .Where(c => c.Operation.Kind != OperationKind.Get || c.Returned != long.MaxValue)
        .GroupBy(c => c.Operation.Key)
        .Select(key => Judge([.. key]))
        .FirstOrDefault(fault => fault is not null);

    /// <summary>
    /// Writes that never returned and that nobody saw need not have happened, and leaving them out makes the search
    /// short; they are tried where no order is found so. Then one such put is as good as another, so only the first to
    /// be invoked of those that are left is tried.
    /// </summary>
    private static List<Call>? Judge(List<Call> calls)
    {
        var seen = calls.Where(c => c.Returned != long.MaxValue && c.Operation.Kind != OperationKind.Put)
            .Select(c => c.Operation.Kind == OperationKind.Get ? c.Result : c.Result == 1 ? c.Operation.Expected : 0)
            .ToHashSet();
        // A swap that was seen has seen what it replaced.
        while (calls.Any(c => c.Returned == long.MaxValue && c.Operation.Kind == OperationKind.Swap
            && seen.Contains(c.Operation.Value) && seen.Add(c.Operation.Expected)))
        {
        }
        // Those that never returned last: one is needed only where the others make no sense without it.
        Call[] needed = [.. calls.Where(c => c.Returned != long.MaxValue || seen.Contains(c.Operation.Value))
            .OrderBy(c => c.Returned == long.MaxValue).ThenBy(c => c.Invoked)];
        Call[] unseen = [.. calls.Except(needed).OrderBy(c => c.Operation.Kind).ThenBy(c => c.Invoked)];
        return Judge(needed, needed.Length) is null ? null : Judge([.. needed, .. unseen], needed.Length);
    }

    private static List<Call>? Judge(Call[] calls, int firstUnseen)
    {
        var (done, left) = (new bool[calls.Length], calls.Count(c => c.Returned != long.MaxValue));
        var path = new Stack<(int Index, int Before)>();
        var tried = new HashSet<(ulong Done, int State)>();
        List<Call> longest = [];
        var (state, mask, next, steps) = (0, 0UL, 0, 0);
        while (left > 0)
        {
            if (++steps > MaximumSteps)
            {
                throw new ViolationException($"{calls.Length} calls of one key took over {MaximumSteps} steps");
            }
            var taken = Candidate(calls, firstUnseen, done, next, state, mask, tried);
            if (taken >= 0)
            {
                path.Push((taken, state));
                state = calls[taken].Operation.On(state).State;
                (done[taken], mask) = (true, mask ^ Token(taken));
                left -= calls[taken].Returned != long.MaxValue ? 1 : 0;
                next = 0;
                if (path.Count > longest.Count)
                {
                    longest = [.. path.Reverse().Select(p => calls[p.Index])];
                }
                continue;
            }
            if (!path.TryPop(out var last))
            {
                return [.. longest, .. calls.Except(longest).Take(8)];
            }
            (done[last.Index], mask, state) = (false, mask ^ Token(last.Index), last.Before);
            left += calls[last.Index].Returned != long.MaxValue ? 1 : 0;
            next = last.Index + 1;
        }
        return null;
    }

    /// <summary>The first call from <paramref name="from"/> on that can come next, leads to something new, and was
    /// answered as the register would have.</summary>
    private static int Candidate(
        Call[] calls, int firstUnseen, bool[] done, int from, int state, ulong mask, HashSet<(ulong, int)> tried)
    {
        // Nothing comes after a call that ended before it began.
        var end = long.MaxValue;
        for (var i = 0; i < calls.Length && calls[i].Invoked < end; i++)
        {
            end = done[i] ? end : Math.Min(end, calls[i].Returned);
        }
        for (var i = from; i < calls.Length; i++)
        {
            var isLikeTheLast = i > firstUnseen && !done[i - 1] && calls[i].Operation.Kind == OperationKind.Put;
            if (done[i] || isLikeTheLast || calls[i].Invoked >= end)
            {
                continue;
            }
            var (after, result) = calls[i].Operation.On(state);
            if ((calls[i].Returned == long.MaxValue || result == calls[i].Result)
                && tried.Add((mask ^ Token(i), after)))
            {
                return i;
            }
        }
        return -1;
    }

    /// <summary>A set of calls is the XOR of these: two sets that differ are taken for one once in 2^64.</summary>
    private static ulong Token(int index) => Dice.Mix((ulong)index + 1);
}
