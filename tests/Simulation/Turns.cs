using Hexcast.Raft;

namespace Hexcast.Simulation;

/// <summary>
/// Leaders that take turns: each has hardly spoken, if at all, when it dies, and then whoever led before comes back. So
/// a leader finds an entry of its own earlier term that is nobody else's yet, while a later leader, which is away, has
/// another one there (Raft, figure 8).
/// </summary>
internal sealed class Turns(RaftGroup group)
{
    private readonly Dice _dice = group.World.Dice;
    private int _left;
    private SimNode? _leads;
    private SimNode? _away;

    /// <returns>False: nobody takes turns now.</returns>
    public bool Begin(SimNode leader)
    {
        if (_left == 0)
        {
            if (!group.Weather.Turns || !_dice.Roll(0.6))
            {
                return false;
            }
            _left = 3 + _dice.Below(6);
        }
        if (_leads is { } other)
        {
            group.Lines.Unmute(other.Id);
        }
        _leads = leader;
        var isSilent = _dice.Roll(0.5);
        if (isSilent)
        {
            group.Lines.Mute(leader.Id);
        }
        // Silent or not, its own disk has time to write.
        group.World.After(_dice.Between(3, isSilent ? 8 : 30), () =>
        {
            if (leader == _leads && !group.World.IsCalm)
            {
                group.CrashFor(leader);
            }
        });
        return true;
    }

    /// <summary>It dies of its first commit, more often than not.</summary>
    public bool DiesOf(SimNode node, List<RaftEffect> effects) =>
        node == _leads && effects.Exists(e => e is RaftEffect.Apply) && _dice.Roll(0.8);

    /// <summary>What it was about to say is lost with it.</summary>
    public void Died(SimNode node)
    {
        if (node != _leads)
        {
            return;
        }
        group.Lines.Mute(node.Id);
        _left--;
        var before = _away;
        (_leads, _away) = (null, node);
        if (before is not null)
        {
            ComeBack(before);
        }
        group.World.After(_dice.Between(800, 1_500), () =>
        {
            if (_away == node)
            {
                _away = null;
                ComeBack(node);
            }
        });
    }

    public bool IsAway(SimNode node) => node == _away && !group.World.IsCalm;

    private void ComeBack(SimNode node)
    {
        group.Lines.Unmute(node.Id);
        if (!node.IsUp)
        {
            group.Restart(node);
        }
    }
}
