namespace Hexcast.Harness.Faults;

/// <summary>
/// Members that keep a coordinator, and nodes of which one is the master, each on a host of its own: what goes between
/// them can be cut, and the nodes' disks and clocks can be made to fail.
/// </summary>
public abstract class FaultyHosts : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, NodeFaults> faults = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CoordinatorView> views = new(StringComparer.Ordinal);
    private NodeCluster? nodes;
    private int names;

    private protected FaultyHosts(NodeNetwork network) => Network = network;

    public NodeNetwork Network { get; }

    /// <summary>Those that may be the master.</summary>
    public IReadOnlyList<string> Nodes => [.. faults.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Those that keep the coordinator; the same, where that is the nodes' own.</summary>
    public IReadOnlyList<string> Members => [.. views.Keys.Order(StringComparer.Ordinal)];

    public IReadOnlyList<CoordinatorView> Views => [.. Members.Select(View)];

    public PlatformProcess Node(string name) => nodes!.Node(name);

    public NodeFaults FaultsOf(string node) => faults[node];

    public CoordinatorView View(string member) => views[member];

    /// <summary>The others of its kind.</summary>
    public IReadOnlyList<string> Others(string name) =>
        [.. (views.ContainsKey(name) ? Members : Nodes).Where(other => other != name)];

    /// <summary>Of what a round writes.</summary>
    public string NewKey() => $"/hexcast/drill/{NewName()}";

    public string NewName() => $"round-{Interlocked.Increment(ref names)}";

    /// <summary>The only node that says that it is the master.</summary>
    public Task<string> MasterAsync(params IReadOnlyList<string> among) =>
        nodes!.OnlyMasterAsync(among.Count > 0 ? among : Nodes);

    /// <summary>The member that leads the others.</summary>
    public abstract Task<string> LeaderAsync();

    /// <summary>What was cut off or fails does so no more; what has ended stays so.</summary>
    public async Task MendAsync()
    {
        await Network.HealAsync();
        foreach (var fault in faults.Values)
        {
            fault.End();
        }
    }

    /// <summary>Nothing of a round that failed is left for the next one.</summary>
    public async Task ReviveAsync()
    {
        await MendAsync();
        StartMembers();
        foreach (var node in Nodes.Select(Node).Where(node => !node.IsRunning))
        {
            await node.StartAgainAsync();
        }

        await UntilWholeAsync();
    }

    /// <summary>Nobody of these hears the one, or it hears none of them, or neither.</summary>
    public async Task CutAsync(string one, IEnumerable<string> others, bool isHeard, bool hears)
    {
        foreach (var other in others)
        {
            if (!isHeard)
            {
                await Network.CutAsync(one, other);
            }

            if (!hears)
            {
                await Network.CutAsync(other, one);
            }
        }
    }

    /// <summary>A write by each member is acknowledged, and each has it.</summary>
    public virtual async Task UntilWholeAsync()
    {
        foreach (var member in Members)
        {
            var key = NewKey();
            await UntilWritableAsync(member, key);
            foreach (var other in Members)
            {
                await UntilHasAsync(other, key);
            }
        }
    }

    public async Task UntilWritableAsync(string member, string? key = null)
    {
        key ??= NewKey();
        await Wait.ForAsync(
            () => View(member).TryPutAsync(key, member),
            Limit, () => $"{member} takes no writes:\n{LastWords(member)}");
    }

    public Task UntilHasAsync(string member, string key) => Wait.ForAsync(
        async () => await View(member).TryReadLocallyAsync(key) is not null,
        Limit, () => $"{member} never got {key}:\n{LastWords(member)}");

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var view in views.Values)
        {
            view.Dispose();
        }

        if (nodes is not null)
        {
            await nodes.DisposeAsync();
        }

        await Network.DisposeAsync();
    }

    private protected void Add(string member, CoordinatorView view) => views.Add(member, view);

    /// <param name="folder">Of their data.</param>
    /// <param name="start">Gets where a node of a name runs.</param>
    private protected async Task StartNodesAsync(
        string folder, Func<Func<string, Task<ProcessPlace>>, Task<NodeCluster>> start)
    {
        using var places = new SemaphoreSlim(1);
        nodes = await start(async name =>
        {
            await places.WaitAsync();
            try
            {
                var place = await Network.AddAsync(name);
                var made = await NodeFaults.MakeAsync(Path.Combine(folder, "faults"), name);
                faults.Add(name, made);
                return made.At(place);
            }
            finally
            {
                places.Release();
            }
        });
    }

    /// <summary>Those that are no nodes, and have ended.</summary>
    private protected virtual void StartMembers()
    {
    }

    private protected abstract string LastWords(string member);
}
