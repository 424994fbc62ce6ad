using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;

namespace Hexcast.Simulation.Jobs;

/// <summary>Masters that die and overlap, workers that crash, leave and are cut off, and those who order.</summary>
internal sealed class JobCluster
{
    /// <summary>After it nobody acts on what was before: a master that was replaced is gone, and so are its words.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly HashSet<string> _objects = new(StringComparer.Ordinal);
    private long _lastNumber;

    public JobCluster(World world, JobWeather weather)
    {
        (World, Weather) = (world, weather);
        Store = new JobStore(this);
        Workers = [.. Enumerable.Range(1, weather.Workers)
            .Select(i => new JobWorker(this, $"w{i}", 1 + world.Dice.Below(3)))];
        Users = [.. Enumerable.Range(1, weather.Users).Select(i => new JobUser(this, i))];
    }

    public World World { get; }

    public JobWeather Weather { get; }

    public JobStore Store { get; }

    public IReadOnlyList<JobWorker> Workers { get; }

    public IReadOnlyList<JobUser> Users { get; }

    /// <summary>All that take themselves for the master; the last one is right.</summary>
    public List<JobMaster> Masters { get; } = [];

    public bool IsCalm { get; set; }

    public int Elections { get; private set; }

    public DateTimeOffset Now => Epoch + World.Now;

    public IReadOnlySet<string> Objects => _objects;

    public long Number() => ++_lastNumber;

    public static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new ViolationException(otherwise);
        }
    }

    public void Elect()
    {
        Elections++;
        Begin(Store.Elect($"m{Elections}"));
    }

    /// <summary>The term cannot go on, but the mastership may: it begins anew from what is durable.</summary>
    public void RenewTerm(JobMaster term)
    {
        if (term.IsAlive)
        {
            term.Die();
            if (Store.Fence == term.Fence)
            {
                Begin(term.Fence);
            }
        }
    }

    /// <summary>The node that somebody takes for the master.</summary>
    public JobMaster? Guess() => Masters.Count == 0 ? null
        : !IsCalm && World.Dice.Roll(0.2) ? World.Dice.Pick(Masters) : Masters[^1];

    /// <summary>A call that is made once; null and "unavailable": no answer came.</summary>
    public void Try(Func<long, SchedulerEvent> ask, Action<IMessage?, string?> answered)
    {
        var isOver = false;
        var isLost = !IsCalm && World.Dice.Roll(Weather.LostCalls);
        if (Guess() is { } master && !isLost)
        {
            World.After(World.Dice.Between(0, 20), () => master.Ask(ask, (message, refusal) =>
            {
                if (IsCalm || !World.Dice.Roll(Weather.LostCalls))
                {
                    World.After(World.Dice.Between(0, 20), () => Answer(message, refusal));
                }
            }));
        }
        World.After(World.Dice.Between(500, 5_000), () => Answer(null, "unavailable"));

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
    public void Call<T>(Func<long, T> ask, Action<IMessage?, string?> answered) where T : SchedulerEvent =>
        Try(ask, (message, refusal) =>
        {
            if (refusal == "unavailable")
            {
                World.After(World.Dice.Between(10, 500), () => Call(ask, answered));
            }
            else
            {
                answered(message, refusal);
            }
        });

    public void TellSettings(IReadOnlyList<SettingValue> values)
    {
        foreach (var master in Masters.ToList())
        {
            master.Follow(values);
        }
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
        Require(!Store.IsCommitted(jobId, taskId, attempt), $"objects of the committed {prefix} are deleted");
        _objects.Remove(prefix);
    }

    private void Begin(long fence)
    {
        var master = new JobMaster(this, fence);
        Masters.Add(master);
        master.Begin();
    }
}
