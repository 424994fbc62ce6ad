using Hexcast.Raft;

namespace Hexcast.Simulation;

/// <summary>A process that runs, stands still, dies and comes back, on a disk that stays.</summary>
internal interface INode
{
    ulong Id { get; }

    bool IsUp { get; }

    bool IsPaused { get; }

    /// <summary>Null: it does not lead, for all it knows.</summary>
    ulong? LeadsTerm { get; }

    /// <summary>How long its disk takes to be sure of something.</summary>
    (double From, double To) SyncMs { get; set; }

    void Take(RaftEvent happened);

    void Pause();

    void Resume();

    void Crash();

    /// <summary>A change of members or of the leader; nobody waits for the answer.</summary>
    void Govern(Func<long, RaftEvent> ask);
}

/// <summary>Nodes that replicate one log, in their world.</summary>
internal abstract class NodeGroup<TNode> where TNode : class, INode
{
    public static readonly (double From, double To) FastSync = (0.2, 4);

    private readonly Dictionary<ulong, TNode> _nodes = [];

    protected NodeGroup(World world, Weather weather)
    {
        (World, Weather) = (world, weather);
        Lines = new Lines(world, weather, (to, message) => Find(to)?.Take(new RaftEvent.Received(message)));
    }

    public World World { get; }

    public Weather Weather { get; }

    public Lines Lines { get; }

    public List<TNode> Nodes { get; } = [];

    /// <summary>Whoever leads the highest term.</summary>
    public TNode? Leader => Nodes.Where(n => n.LeadsTerm is not null).MaxBy(n => n.LeadsTerm);

    /// <summary>It leads still for all it knows, and another leads a later term.</summary>
    public TNode? Deposed => Nodes.Find(n => n.LeadsTerm is not null && n != Leader);

    public int Crashes { get; private set; }

    public int Damages { get; set; }

    public int Snapshots { get; set; }

    public int Installs { get; set; }

    public TNode? Find(ulong id) => _nodes.GetValueOrDefault(id);

    public abstract void Restart(TNode node);

    public virtual void CrashFor(TNode node)
    {
        if (!node.IsUp)
        {
            return;
        }
        Crashes++;
        node.Crash();
        World.After(World.Dice.Between(5, World.Dice.Roll(0.3) ? 2_500 : 300), () =>
        {
            if (!node.IsUp)
            {
                Restart(node);
            }
        });
    }

    protected void Add(TNode node)
    {
        Nodes.Add(node);
        _nodes.Add(node.Id, node);
    }
}
