namespace Hexcast.Simulation;

/// <summary>Asks one thing at a time and writes down what it saw. What it never hears of may have been done.</summary>
internal sealed class SimClient(RaftGroup group, int number)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(800);

    private int _values;
    private int _asked;
    private int _lastSeen;
    private ulong _node;

    /// <summary>Answers since this was last set to 0.</summary>
    public int Answers { get; set; }

    public void Think() => group.World.After(group.World.Dice.Between(1, 40), Ask);

    private void Ask()
    {
        var dice = group.World.Dice;
        var operation = dice.Below(10) switch
        {
            < 4 => new Operation(OperationKind.Get, dice.Below(group.Weather.Keys), 0, 0),
            < 8 => new Operation(OperationKind.Put, dice.Below(group.Weather.Keys), NewValue(), 0),
            _ => new Operation(OperationKind.Swap, dice.Below(group.Weather.Keys), NewValue(), _lastSeen),
        };
        var call = new Call(number, operation, group.World.Events);
        Send(call, operation, ++_asked, first: true);
        var asked = _asked;
        group.World.After(Patience, () =>
        {
            if (asked == _asked)
            {
                GiveUp(call);
            }
        });
    }

    private int NewValue() => number * 1_000_000 + ++_values;

    private void Send(Call call, Operation operation, int asked, bool first)
    {
        var (world, dice) = (group.World, group.World.Dice);
        if (first && (_node == 0 || dice.Roll(0.2)))
        {
            var any = dice.Pick(group.Nodes);
            _node = (group.Deposed ?? any).Id;
        }
        if (first)
        {
            group.Calls.Add(call);
        }
        world.After(dice.Between(0.1, 1), () => group.Find(_node)?.Ask(
            operation,
            result => world.After(dice.Between(0.1, 1), () => Answered(call, asked, result)),
            leader => world.After(dice.Between(1, 30), () => Refused(call, operation, asked, leader))));
    }

    private void Answered(Call call, int asked, int result)
    {
        if (asked != _asked)
        {
            return;
        }
        (call.Returned, call.Result) = (group.World.Events, result);
        _lastSeen = call.Operation.Kind == OperationKind.Get ? call.Result : call.Operation.Value;
        Answers++;
        _asked++;
        Think();
    }

    /// <summary>It was not done, and never will be: ask elsewhere.</summary>
    private void Refused(Call call, Operation operation, int asked, ulong leader)
    {
        if (asked == _asked)
        {
            _node = leader != 0 ? leader : group.World.Dice.Pick(group.Nodes).Id;
            Send(call, operation, asked, first: false);
        }
    }

    private void GiveUp(Call call)
    {
        _asked++;
        _node = 0;
        if (call.Operation.Kind == OperationKind.Get)
        {
            group.Calls.Remove(call);
        }
        Think();
    }
}
