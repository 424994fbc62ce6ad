using Hexcast.Raft;

namespace Hexcast.Simulation.Coordinators;

/// <summary>Lines between members: they lose, repeat, delay and so reorder; each direction can be cut.</summary>
internal sealed class GroupLines(Group group)
{
    private readonly HashSet<(ulong From, ulong To)> _cut = [];

    public long Sent { get; private set; }

    private Dice Dice => group.World.Dice;

    public void Cut(ulong from, ulong to) => _cut.Add((from, to));

    public void Heal() => _cut.Clear();

    public void Send(ulong from, ulong to, RaftMessage message)
    {
        Sent++;
        if (!group.IsCalm && Dice.Roll(group.Weather.Loss))
        {
            return;
        }
        Deliver(from, to, message);
        if (!group.IsCalm && Dice.Roll(group.Weather.Duplication))
        {
            Deliver(from, to, message);
        }
    }

    /// <summary>A call or its answer: it gets there once, or not at all.</summary>
    public void Call(ulong from, ulong to, Action<GroupMember> arrived)
    {
        if (group.IsCalm || !Dice.Roll(group.Weather.LostCalls))
        {
            group.World.After(Dice.Between(0.1, 3), () =>
            {
                if (!_cut.Contains((from, to)) && group.Find(to) is { } member)
                {
                    arrived(member);
                }
            });
        }
    }

    private void Deliver(ulong from, ulong to, RaftMessage message)
    {
        var isLate = !group.IsCalm && Dice.Roll(group.Weather.LateMessages);
        var delay = isLate ? Dice.Between(1, Dice.Roll(0.2) ? 2_000 : 100) : Dice.Between(0.1, 2);
        group.World.After(delay, () =>
        {
            if (!_cut.Contains((from, to)))
            {
                group.Find(to)?.Receive(message);
            }
        });
    }
}
