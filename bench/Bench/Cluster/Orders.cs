using Hexcast.Contracts;
using Hexcast.Contracts.V1;

namespace Hexcast.Bench.Cluster;

/// <summary>Tasks to be scheduled, each of a media of its own.</summary>
internal sealed class Orders(MasterLine master)
{
    private long last;

    /// <summary>Returns when the task is durable.</summary>
    public async Task ScheduleAsync(CancellationToken cancel)
    {
        var number = Interlocked.Increment(ref last);
        var media = MediaId.From(new Guid((int)(number >> 32), (short)(number >> 16), (short)number, new byte[8]))
            .ToString();
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
            scheduler => scheduler.ScheduleTaskAsync(request, cancellationToken: cancel).ResponseAsync, cancel);
    }

    /// <summary>That many more, so many at once.</summary>
    public Task AddAsync(int count, int atOnce, CancellationToken cancel)
    {
        var left = count;
        return Task.WhenAll(Enumerable.Range(0, atOnce).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await ScheduleAsync(cancel);
            }
        }));
    }
}
