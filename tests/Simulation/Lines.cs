using Hexcast.Raft;

namespace Hexcast.Simulation;

/// <summary>Lines between nodes: they lose, repeat, delay and so reorder; each direction can be cut.</summary>
internal sealed class Lines(World world, Weather weather, Action<ulong, RaftMessage> deliver)
{
    private readonly HashSet<(ulong From, ulong To)> _cut = [];
    private readonly HashSet<ulong> _mute = [];

    public long Sent { get; private set; }

    public void Cut(ulong from, ulong to) => _cut.Add((from, to));

    public void Mute(ulong node) => _mute.Add(node);

    public void Unmute(ulong node) => _mute.Remove(node);

    public void Heal() => _cut.Clear();

    public void Send(ulong from, ulong to, RaftMessage message)
    {
        Sent++;
        if (Rolls(weather.Loss))
        {
            return;
        }
        Deliver(from, to, message);
        if (Rolls(weather.Duplication))
        {
            Deliver(from, to, message);
        }
    }

    /// <summary>A call or its answer: it gets there once, or not at all.</summary>
    public void Call(ulong from, ulong to, double loss, Action arrived)
    {
        if (!Rolls(loss))
        {
            Arrive(from, to, Delay(3), arrived);
        }
    }

    private void Deliver(ulong from, ulong to, RaftMessage message) =>
        Arrive(from, to, Delay(2), () => deliver(to, message));

    private TimeSpan Delay(double usualMs) => Rolls(weather.LateMessages)
        ? world.Dice.Between(1, world.Dice.Roll(0.2) ? 2_000 : 100)
        : world.Dice.Between(0.1, usualMs);

    private void Arrive(ulong from, ulong to, TimeSpan delay, Action arrived) => world.After(delay, () =>
    {
        if (!_cut.Contains((from, to)) && (world.IsCalm || !_mute.Contains(from)))
        {
            arrived();
        }
    });

    private bool Rolls(double chance) => !world.IsCalm && world.Dice.Roll(chance);
}
