using Hexcast.Coordination.Embedded;

namespace Hexcast.Simulation;

/// <summary>Simulated time, and all the chance there is in a run: both follow from the seed, so a run can be repeated.
/// </summary>
internal sealed class World(ulong seed)
{
    private readonly PriorityQueue<Action, (long Ticks, long Order)> _agenda = new();
    private long _order;

    /// <summary>Far above what a run needs: one that takes more goes round in circles.</summary>
    private const long MostEvents = 20_000_000;

    public Dice Dice { get; } = new(seed);

    public TimeSpan Now { get; private set; }

    /// <summary>Everything that happened, as one number: equal for equal runs.</summary>
    public ulong Digest { get; private set; }

    public long Events { get; private set; }

    public Action<string>? Tell { get; init; }

    /// <summary>Nothing strikes any more, and what is there has to heal.</summary>
    public bool IsCalm { get; set; }

    public void After(TimeSpan delay, Action happens) => _agenda.Enqueue(happens, ((Now + delay).Ticks, ++_order));

    public void Note(ulong number) => Digest = Dice.Mix(Digest ^ number);

    /// <returns>True if the condition held in time.</returns>
    public bool RunUntil(TimeSpan until, Func<bool>? holds = null)
    {
        while (_agenda.TryPeek(out _, out var next) && next.Ticks <= until.Ticks)
        {
            var happens = _agenda.Dequeue();
            Now = TimeSpan.FromTicks(next.Ticks);
            if (++Events > MostEvents)
            {
                throw new ViolationException($"{Events} events, and no end at {Now}");
            }
            Note((ulong)next.Ticks);
            happens();
            if (holds?.Invoke() == true)
            {
                return true;
            }
        }
        Now = until;
        return false;
    }
}

internal sealed partial class ViolationException
{
    /// <summary>What a core finds by itself would have ended its process.</summary>
    public static void Catch(Action run)
    {
        try
        {
            run();
        }
        catch (Exception broken) when (broken is InvalidOperationException or KeyNotFoundException
            or ArgumentException or NullReferenceException or FileNotFoundException or CoordinatorDataException)
        {
            throw new ViolationException(broken.ToString());
        }
    }
}
