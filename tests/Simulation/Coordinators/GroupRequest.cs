using Hexcast.Coordination;
using Hexcast.Coordination.Embedded;
using Hexcast.Raft;

namespace Hexcast.Simulation.Coordinators;

/// <summary>
/// One request at the member that a client speaks to, as <see cref="Requests"/> does it: done there if it can be, else
/// passed on to the leader, and asked again by the same rule.
/// </summary>
/// <param name="ofLeader">Only the leader can do it. Other members ask it where the log stands, and read.</param>
internal sealed class GroupRequest(
    Group group, GroupMember at, Func<long, CoordinatorEvent> ask, bool ofLeader, bool isRepeatable,
    Action<Outcome?> done)
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromMilliseconds(700);

    private readonly TimeSpan _until = group.World.Now + TimeSpan.FromSeconds(2);

    /// <summary>In the end <c>done</c> gets the outcome, or null: nobody knows. Or it is never called.</summary>
    public void Begin() => at.Ask(ask, Answered);

    private void Answered(MemberAnswer answer)
    {
        if (answer.Refused != RaftError.None)
        {
            done(new Outcome(null, CoordinatorError.Other));
        }
        else if (answer.Leader is not { } leader)
        {
            // Nobody knows whether it was done; for whoever asked that is an answer too.
            done(answer.Outcome.Error == CoordinatorError.LeaderLost ? null : answer.Outcome);
        }
        else if (leader != 0 && leader != at.Id && ofLeader)
        {
            PassOn(leader);
        }
        else
        {
            Again();
        }
    }

    private void PassOn(ulong leader)
    {
        var isOver = false;
        Call(at, leader, passed => passed.Ask(ask, answer => Call(passed, at.Id, _ =>
        {
            if (isOver)
            {
                return;
            }
            isOver = true;
            if (answer.Leader is not null)
            {
                Again();
            }
            else
            {
                Answered(answer);
            }
        })));
        group.World.After(CallLimit, () =>
        {
            if (isOver)
            {
                return;
            }
            isOver = true;
            if (RequestCourse.MayRepeat(isRepeatable))
            {
                Again();
            }
            else
            {
                done(null);
            }
        });
    }

    private void Call(GroupMember from, ulong to, Action<GroupMember> arrived)
    {
        if (group.Find(to) is { } known)
        {
            group.Lines.Call(from.Id, to, group.Sky.LostCalls, () => arrived(known));
        }
    }

    private void Again()
    {
        if (group.World.Now > _until)
        {
            done(new Outcome(null, CoordinatorError.NoLeader));
            return;
        }
        group.World.After(group.World.Dice.Between(10, 60), Begin);
    }
}
