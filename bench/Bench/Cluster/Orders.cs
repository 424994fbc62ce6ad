using Hexcast.Contracts;
using Hexcast.Contracts.V1;

namespace Hexcast.Bench.Cluster;

/// <summary>Keeps the queue as long as it is.</summary>
internal abstract class Orders
{
    private long last;

    /// <summary>That many tasks more, or as many as whole jobs have; so many calls at once.</summary>
    public abstract Task AddAsync(int tasks, int atOnce, CancellationToken cancel);

    /// <summary>Orders what takes the task's place, if it is time to.</summary>
    public abstract Task ReplaceAsync(TaskAssignment committed, CancellationToken cancel);

    protected long NextNumber() => Interlocked.Increment(ref last);

    protected static string MediaOf(long number) =>
        MediaId.From(new Guid((int)(number >> 32), (short)(number >> 16), (short)number, new byte[8])).ToString();

    protected static Task RepeatAsync(int count, int atOnce, Func<Task> call)
    {
        var left = count;
        return Task.WhenAll(Enumerable.Range(0, atOnce).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await call();
            }
        }));
    }
}

/// <summary>Tasks that are scheduled one by one, each of a media of its own.</summary>
internal sealed class TaskOrders(MasterLine master) : Orders
{
    public override Task AddAsync(int tasks, int atOnce, CancellationToken cancel) =>
        RepeatAsync(tasks, atOnce, () => ScheduleAsync(cancel));

    public override Task ReplaceAsync(TaskAssignment committed, CancellationToken cancel) => ScheduleAsync(cancel);

    /// <summary>Returns when the task is durable.</summary>
    private async Task ScheduleAsync(CancellationToken cancel)
    {
        var number = NextNumber();
        var media = MediaOf(number);
        var request = new ScheduleTaskRequest
        {
            RequestId = $"bench-{number}",
            MediaId = media,
            SourceKey = $"sources/{media}",
            Class = "hd",
            Task = new OneTask
            {
                MediaSeconds = 4,
                Chunk = new ChunkWork { Plan = new ObjectRef { Key = $"media/{media}/plan", Length = 4_096 } },
            },
        };
        await master.CallAsync(
            calls => calls.Scheduler.ScheduleTaskAsync(request, cancellationToken: cancel).ResponseAsync, cancel);
    }
}

/// <summary>Jobs of chunks, a poster and a publish task, each of a media of its own, which is forgotten when it is
/// done.</summary>
internal sealed class JobOrders(MasterLine master) : Orders
{
    public const int ChunksEach = 100;

    private const int ChunkSeconds = 4;

    public static PlanSummary Plan { get; } = new()
    {
        ChunkSeconds = { Enumerable.Repeat((double)ChunkSeconds, ChunksEach) },
        DurationSeconds = ChunksEach * ChunkSeconds,
    };

    public override Task AddAsync(int tasks, int atOnce, CancellationToken cancel) =>
        RepeatAsync((tasks + ChunksEach - 1) / ChunksEach, atOnce, () => OrderAsync(cancel));

    public override async Task ReplaceAsync(TaskAssignment committed, CancellationToken cancel)
    {
        if (committed.Publish is not null)
        {
            await OrderAsync(cancel);
            var forget = new ForgetMediaRequest { MediaId = committed.MediaId };
            await master.CallAsync(
                calls => calls.Scheduler.ForgetMediaAsync(forget, cancellationToken: cancel).ResponseAsync, cancel);
        }
    }

    private async Task OrderAsync(CancellationToken cancel)
    {
        var media = MediaOf(NextNumber());
        var request = new TranscodeRequest { MediaId = media, SourceKey = $"sources/{media}", Class = "hd" };
        await master.CallAsync(
            calls => calls.Transcoder.TranscodeAsync(request, cancellationToken: cancel).ResponseAsync, cancel);
    }
}
