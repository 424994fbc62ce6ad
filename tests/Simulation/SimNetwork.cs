using Hexcast.Raft;

namespace Hexcast.Simulation;

/// <summary>Lines between nodes: they lose, repeat, delay and so reorder; each direction can be cut.</summary>
internal sealed class SimNetwork(Cluster cluster)
{
    private readonly HashSet<(ulong From, ulong To)> _cut = [];

    private readonly HashSet<ulong> _mute = [];

    public bool IsCalm { get; set; }

    public long Sent { get; private set; }

    public void Cut(ulong from, ulong to) => _cut.Add((from, to));

    public void Mute(ulong node) => _mute.Add(node);

    public void Unmute(ulong node) => _mute.Remove(node);

    public void Heal() => _cut.Clear();

    public void Send(SimNode from, ulong to, RaftMessage message)
    {
        Sent++;
        var (dice, weather) = (cluster.World.Dice, cluster.Weather);
        if (!IsCalm && dice.Roll(weather.Loss))
        {
            return;
        }
        Deliver(from.Id, to, message);
        if (!IsCalm && dice.Roll(weather.Duplication))
        {
            Deliver(from.Id, to, message);
        }
    }

    private void Deliver(ulong from, ulong to, RaftMessage message)
    {
        var dice = cluster.World.Dice;
        var isLate = !IsCalm && dice.Roll(cluster.Weather.LateMessages);
        var delay = isLate ? dice.Between(1, dice.Roll(0.2) ? 2_000 : 100) : dice.Between(0.1, 2);
        cluster.World.After(delay, () =>
        {
            var isSilent = _mute.Contains(from) && !IsCalm;
            if (!isSilent && !_cut.Contains((from, to)) && cluster.Find(to) is { } node)
            {
                node.Take(new RaftEvent.Received(message));
            }
        });
    }
}
