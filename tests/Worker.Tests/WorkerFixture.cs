using Hexcast.Contracts.V1;
using Hexcast.Media.IsoBmff;
using Hexcast.Media.Planning;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Hexcast.Platform.Presets;
using Hexcast.Worker.Attempts;
using Hexcast.Worker.Tools;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hexcast.Worker.Tests;

/// <summary>A worker's parts over a temporary folder, with real tools and a real object store.</summary>
internal sealed class WorkerFixture : IDisposable
{
    public const string MediaId = "01hexcastmedia000000000000";
    public const string Version = "01hexcastversion0000000000";
    public const string JobId = Version;

    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-worker-").FullName;

    public WorkerFixture(WorkerOptions? options = null)
    {
        Options = options ?? new WorkerOptions { Slots = 2 };
        Store = new LocalObjectStore(Path.Combine(folder, "objects"), "local");
        Scratch = new ScratchFolder(Directory.CreateDirectory(Path.Combine(folder, "scratch")).FullName);
        Starter = new ToolStarter();
        Tools = new ToolRunner(new Sandbox(Options.Sandbox), Starter, Options, TimeProvider.System);
        Bench = new Workbench(Scratch, Tools, new StoredObjects(Store), TimeProvider.System);
        Attempts = new AttemptRunner(
            Bench,
            new SourceCopies(Store, Scratch, TimeProvider.System),
            new ProbeAttempt(new PresetCatalog(Path.Combine(Checkout, "presets"))),
            new ChunkAttempt(Options, NullLogger<ChunkAttempt>.Instance),
            new PublishAttempt(NullLogger<PublishAttempt>.Instance),
            new SubtitlesAttempt(NullLogger<SubtitlesAttempt>.Instance),
            new StoryboardAttempt(NullLogger<StoryboardAttempt>.Instance),
            new NodeSettings { DataFolder = folder },
            NullLogger<AttemptRunner>.Instance);
    }

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public WorkerOptions Options { get; }

    public LocalObjectStore Store { get; }

    public ScratchFolder Scratch { get; }

    public ToolStarter Starter { get; }

    public ToolRunner Tools { get; }

    public Workbench Bench { get; }

    public AttemptRunner Attempts { get; }

    public static string Checkout
    {
        get
        {
            var at = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(at.FullName, "Hexcast.slnx")))
            {
                at = at.Parent!;
            }

            return at.FullName;
        }
    }

    public string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(folder, name)).FullName;

    public string NewFile(string name, byte[] bytes)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public async Task AddSourceAsync(string path)
    {
        var copy = Path.Combine(NewFolder("incoming"), "source");
        File.Copy(path, copy, overwrite: true);
        await Store.AdoptFileAsync(ObjectKey.Source(MediaId), copy, Cancel);
    }

    public static TaskAssignment Assignment(string taskId, uint attempt = 1) => new()
    {
        Attempt = new AttemptRef { JobId = JobId, TaskId = taskId, Attempt = attempt },
        Fence = 7,
        MediaId = MediaId,
        Version = Version,
        SourceKey = ObjectKey.Source(MediaId),
        PresetName = PresetCatalog.Default,
    };

    public static TaskAssignment Probe() => With(Assignment("probe"), a => a.Probe = new ProbeWork());

    public static TaskAssignment Chunk(ObjectRef plan, int chunk, uint attempt = 1) => With(
        Assignment($"chunk-{chunk:0000}", attempt), a => a.Chunk = new ChunkWork { Plan = plan, Chunk = chunk });

    public static TaskAssignment Audio(ObjectRef plan) =>
        With(Assignment("audio"), a => a.Audio = new AudioWork { Plan = plan });

    public static TaskAssignment Poster(ObjectRef plan) =>
        With(Assignment("poster"), a => a.Poster = new PosterWork { Plan = plan });

    public static TaskAssignment Subtitles(ObjectRef plan) =>
        With(Assignment("subtitles"), a => a.Subtitles = new SubtitlesWork { Plan = plan });

    public static TaskAssignment Storyboard(ObjectRef plan, IEnumerable<ObjectRef> indexes)
    {
        var work = new StoryboardWork { Plan = plan };
        work.Indexes.AddRange(indexes);
        return With(Assignment("storyboard"), a => a.Storyboard = work);
    }

    public static TaskAssignment Publish(ObjectRef plan, IEnumerable<ObjectRef> indexes)
    {
        var work = new PublishWork { Plan = plan };
        work.Indexes.AddRange(indexes);
        return With(Assignment("publish"), a => a.Publish = work);
    }

    public Task<AttemptOutcome> RunAsync(TaskAssignment task) => Attempts.RunAsync(task, (_, _) => { }, Cancel);

    public async Task<TaskCommit> CommitAsync(TaskAssignment task)
    {
        var outcome = await RunAsync(task);
        outcome.Failure.ShouldBeNull();
        return outcome.Commit!;
    }

    public async Task<TaskFailure> FailAsync(TaskAssignment task)
    {
        var outcome = await RunAsync(task);
        outcome.Commit.ShouldBeNull();
        return outcome.Failure!;
    }

    public async Task<TranscodePlan> PlanAsync(ObjectRef plan) => await Bench.Objects.ReadPlanAsync(plan, Cancel);

    public async Task<AttemptIndex> IndexAsync(ObjectRef index) =>
        AttemptIndex.FromJson(await Bench.Objects.ReadAsync(index, AttemptIndex.MaxJsonBytes, Cancel));

    public async Task<List<string>> KeysAsync(string prefix = "media/")
    {
        List<string> keys = [];
        await foreach (var found in Store.ListAsync(prefix.TrimEnd('/') + "/", Cancel))
        {
            keys.Add(found.Key);
        }

        return keys;
    }

    public void Dispose()
    {
        Starter.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static TaskAssignment With(TaskAssignment assignment, Action<TaskAssignment> set)
    {
        set(assignment);
        return assignment;
    }
}
