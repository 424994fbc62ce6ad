namespace Hexcast.Simulation;

/// <summary>Strikes now and then with one of what the weather allows, until it is calm.</summary>
internal sealed class Strokes(World world, double everyMs)
{
    private readonly List<Action> _choices = [];

    /// <summary>What is named twice comes twice as often.</summary>
    public Strokes If(bool allowed, params IEnumerable<Action> strokes)
    {
        _choices.AddRange(allowed ? strokes : []);
        return this;
    }

    public void Begin() => world.After(world.Dice.Between(0, everyMs), Strike);

    private void Strike()
    {
        if (world.IsCalm || _choices.Count == 0)
        {
            return;
        }
        world.Dice.Pick(_choices)();
        world.After(world.Dice.Between(everyMs * 0.2, everyMs * 1.8), Strike);
    }
}
