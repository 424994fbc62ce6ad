using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Platform.Http;

namespace Hexcast.Master.Http;

/// <summary>Nodes and queues as JSON, taken at most once a second for all who look.</summary>
internal sealed class ClusterPicture(Mastership mastership, TimeProvider clock)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock turn = new();
    private Task<Picture>? latest;
    private long takenAt;

    /// <exception cref="Platform.Errors.HexcastException">unavailable: this node is not the master now.</exception>
    public Task<Picture> GetAsync()
    {
        lock (turn)
        {
            if (latest is null or { IsFaulted: true } or { IsCanceled: true } ||
                (latest.IsCompleted && clock.GetElapsedTime(takenAt) >= Interval))
            {
                takenAt = clock.GetTimestamp();
                latest = TakeAsync(mastership.Current);
            }

            return latest;
        }
    }

    // Not the caller's cancellation: others wait for the same picture. The end of the term answers it too.
    private static async Task<Picture> TakeAsync(SchedulerTerm term)
    {
        var nodes = await term.AskAsync<ListNodesResponse>(number => new NodesAsked(number), CancellationToken.None);
        var queues = await term.AskAsync<DescribeQueuesResponse>(
            number => new QueuesAsked(number), CancellationToken.None);
        return new Picture(ApiJson.Write(nodes.ToAnswer()), ApiJson.Write(queues.ToAnswer()));
    }

    internal sealed record Picture(string Nodes, string Queues);
}
