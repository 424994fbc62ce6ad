using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Tests.Support;

/// <summary>A master with what the test says of its nodes and queues.</summary>
internal sealed class FakeScheduler : Scheduler.SchedulerBase
{
    private static readonly Timestamp Since =
        Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 11, 22, 8, 0, 0, TimeSpan.Zero));

    public StatusCode Refusal { get; set; }

    public ListNodesResponse Nodes { get; set; } = new();

    public DescribeQueuesResponse Queues { get; set; } = new();

    public override Task<ListNodesResponse> ListNodes(ListNodesRequest request, ServerCallContext context) =>
        Answer(Nodes);

    public override Task<DescribeQueuesResponse> DescribeQueues(
        DescribeQueuesRequest request, ServerCallContext context) => Answer(Queues);

    public override Task<DrainResponse> Drain(DrainRequest request, ServerCallContext context)
    {
        var node = Nodes.Nodes.Single(n => n.NodeId == request.NodeId);
        node.Draining = !request.Undo;
        return Answer(new DrainResponse { Running = node.Running.Count });
    }

    /// <summary>Three nodes at work, of which one goes out of use, one lost.</summary>
    public void Fill()
    {
        Nodes = new ListNodesResponse { MasterNodeId = "front", Fence = 17, MasterSince = Since };
        for (var i = 1; i <= 3; i++)
        {
            var node = new Node
            {
                NodeId = $"worker-{i}", Connected = i < 3, Since = Since, Slots = 4, CpuLoad = 0.31 * i,
                MemoryFreeBytes = 9_000_000_000 / i, MemoryTotalBytes = 16_000_000_000,
                ScratchFreeBytes = 212_000_000_000,
                Labels = new NodeLabels
                {
                    Zone = i == 1 ? "basement" : "", Codecs = { "aac", "h264", "hevc" },
                    Classes = { i == 2 ? ["low_latency", "hd"] : [] },
                },
                Draining = i == 2, HandBackAt = i == 2 ? Since : null,
            };
            for (var task = 0; task < (i < 3 ? 3 - i : 0) + (i == 1 ? 1 : 0); task++)
            {
                node.Running.Add(new NodeAttempt
                {
                    Attempt = new AttemptRef { JobId = "job", TaskId = $"chunk-000{task}", Attempt = 1 },
                    Kind = task == 1 ? TaskKind.EncodeAudio : TaskKind.EncodeChunk,
                    MediaId = $"01kb{task:d22}", Fraction = 0.2 + (0.3 * task), Speed = 2.4 + task, Since = Since,
                });
            }

            Nodes.Nodes.Add(node);
        }

        Queues = new DescribeQueuesResponse { UnfinishedJobs = 3 };
        Queues.Classes.AddRange([
            new ClassQueue { Class = "low_latency", Running = 1 },
            new ClassQueue { Class = "hd", Jobs = 3, Ready = 12, Running = 3, OldestWaitSeconds = 74 },
            new ClassQueue { Class = "sd" }, new ClassQueue { Class = "background" }]);
        for (var i = 0; i < 3; i++)
        {
            Queues.Jobs.Add(new QueuedJob
            {
                JobId = $"job-{i}", MediaId = $"01kb{i:d22}", Class = "hd", CreatedAt = Since, Tasks = 24,
                Committed = 20 - (7 * i), Running = 1, Ready = 4, Retrying = i == 2 ? 1 : 0,
            });
        }
    }

    private Task<T> Answer<T>(T answer) => Refusal == StatusCode.OK
        ? Task.FromResult(answer)
        : throw new RpcException(new Status(Refusal, "The master is away."));
}
