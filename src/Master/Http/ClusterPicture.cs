using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;

namespace Hexcast.Master.Http;

/// <summary>
/// Nodes and queues as JSON, asked of the master wherever it is, at most once a second for all who look.
/// </summary>
internal sealed class ClusterPicture(Scheduler.SchedulerClient master, TimeProvider clock)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    private readonly Lock turn = new();
    private Task<Picture>? latest;
    private long takenAt;

    /// <exception cref="HexcastException">unavailable: no master can be asked now.</exception>
    public Task<Picture> GetAsync()
    {
        lock (turn)
        {
            if (latest is null or { IsFaulted: true } or { IsCanceled: true } ||
                (latest.IsCompleted && clock.GetElapsedTime(takenAt) >= Interval))
            {
                takenAt = clock.GetTimestamp();
                latest = TakeAsync();
            }

            return latest;
        }
    }

    // Not the caller's cancellation: others wait for the same picture.
    private async Task<Picture> TakeAsync()
    {
        try
        {
            var deadline = clock.GetUtcNow().Add(AnswerLimit).UtcDateTime;
            var nodes = await master.ListNodesAsync(new ListNodesRequest(), deadline: deadline);
            var queues = await master.DescribeQueuesAsync(new DescribeQueuesRequest(), deadline: deadline);
            return new Picture(ApiJson.Write(nodes.ToAnswer()), ApiJson.Write(queues.ToAnswer()));
        }
        catch (RpcException refused)
        {
            throw GrpcErrors.Unwrap(refused);
        }
    }

    internal sealed record Picture(string Nodes, string Queues);
}
