using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Master.Scheduling;
using Hexcast.Simulation.Coordinators;

namespace Hexcast.Simulation.Jobs;

/// <summary>Coordinators whose leader is the master, workers that crash, leave and are cut off, and those who order.
/// </summary>
internal sealed class JobCluster
{
    public const string Unavailable = "unavailable";

    /// <summary>After it nobody acts on what was before: a master that was replaced is gone, and so are its words.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly HashSet<string> _objects = new(StringComparer.Ordinal);
    private readonly List<JobNode> _nodes = [];
    private long _lastNumber;

    public JobCluster(World world, JobWeather weather)
    {
        (World, Weather) = (world, weather);
        Group = new Group(world, weather.Sky, Settle);
        Ledger = new JobLedger(Group.Oracle);
        Directory = new JobDirectory(Group);
        Workers = [.. Enumerable.Range(1, weather.Workers)
            .Select(i => new JobWorker(this, $"w{i}", 1 + world.Dice.Below(3)))];
        Users = [.. Enumerable.Range(1, weather.Users).Select(i => new JobUser(this, i))];
    }

    public World World { get; }

    public JobWeather Weather { get; }

    public Group Group { get; }

    public JobLedger Ledger { get; }

    /// <summary>Of those who order.</summary>
    public JobDirectory Directory { get; }

    /// <summary>Those that may be the master.</summary>
    public IReadOnlyList<JobNode> Nodes => _nodes;

    public IReadOnlyList<JobWorker> Workers { get; }

    public IReadOnlyList<JobUser> Users { get; }

    public DateTimeOffset Now => Epoch + World.Now;

    public IReadOnlySet<string> Objects => _objects;

    public long Number() => ++_lastNumber;

    public static void Require(bool holds, string otherwise) => GroupOracle.Require(holds, otherwise);

    /// <summary>The node that somebody takes for the master.</summary>
    public JobNode? Guess(JobDirectory directory) => !World.IsCalm && !Weather.IsKind && World.Dice.Roll(0.2)
        ? World.Dice.Pick(_nodes)
        : _nodes.Find(node => node.Member.Name == directory.Master);

    /// <summary>A call that is made once; null and "unavailable": no answer came.</summary>
    public void Try(JobDirectory directory, Func<long, SchedulerEvent> ask, Action<IMessage?, string?> answered)
    {
        var isOver = false;
        if (Guess(directory)?.Member is { IsUp: true } member && !IsLost())
        {
            var node = _nodes.Find(node => node.Member == member)!;
            World.After(World.Dice.Between(0, 20), () => member.Do(() =>
            {
                if (node.Term is { IsAlive: true } master)
                {
                    master.Ask(ask, Back);
                }
                else
                {
                    Back(null, Unavailable);
                }
            }));
        }
        World.After(World.Dice.Between(500, 5_000), () => Answer(null, Unavailable));

        bool IsLost() => !World.IsCalm && World.Dice.Roll(Weather.LostCalls);

        void Back(IMessage? message, string? refusal)
        {
            if (!IsLost())
            {
                World.After(World.Dice.Between(0, 20), () => Answer(message, refusal));
            }
        }

        void Answer(IMessage? message, string? refusal)
        {
            if (!isOver)
            {
                isOver = true;
                answered(message, refusal);
            }
        }
    }

    /// <summary>A call that is made until it is answered: masters may hear it more than once.</summary>
    public void Call(Func<long, SchedulerEvent> ask, Action<IMessage?, string?> answered) =>
        Try(Directory, ask, (message, refusal) =>
        {
            if (refusal == Unavailable)
            {
                World.After(World.Dice.Between(10, 500), () => Call(ask, answered));
            }
            else
            {
                answered(message, refusal);
            }
        });

    /// <summary>Somebody changes a rule, and is content with whatever comes of it.</summary>
    public void Set(string key, string? value)
    {
        var bytes = ByteString.CopyFromUtf8(key);
        var command = value is null
            ? new Command { DeleteRange = new DeleteRangeRequest { Key = bytes } }
            : new Command { Put = new PutRequest { Key = bytes, Value = ByteString.CopyFromUtf8(value) } };
        Group.Propose(Group.Any(), command, _ => { });
    }

    public void Write(string prefix) => _objects.Add(prefix);

    public void Remove(string prefix)
    {
        var parts = prefix.Split('/');
        var attempt = parts[3].LastIndexOf('-');
        RemoveOf(
            parts[2], parts[3][..attempt],
            uint.Parse(parts[3][(attempt + 1)..], System.Globalization.CultureInfo.InvariantCulture), prefix);
    }

    public void RemoveOf(string jobId, string taskId, uint attempt, string prefix)
    {
        Require(!Ledger.IsCommitted(jobId, taskId, attempt), $"objects of the committed {prefix} are deleted");
        _objects.Remove(prefix);
    }

    /// <summary>The catalogue removes a media that it has forgotten.</summary>
    public void RemoveMedia(string media) =>
        _objects.RemoveWhere(o => o.StartsWith($"media/{media}/", StringComparison.Ordinal));

    private JobNode Settle(GroupMember member)
    {
        var node = new JobNode(this, member);
        _nodes.Add(node);
        return node;
    }
}
