using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;

namespace Hexcast.Master.Http;

/// <summary>What the API's document says of nodes, queues and the schedule.</summary>
internal static class NodeOperations
{
    public static Operation List(Operation list) => list
        .Answers<NodeListAnswer>(200, "the workers that are, or a moment ago were, connected to the master");

    public static Operation Drain(Operation drain) => drain
        .Says("The node is assigned nothing more; what it still runs after a time goes to other nodes. It holds " +
            "until it is undone, also when the node starts again or another master is elected.")
        .Path("node_id", Value.Text(), "the node")
        .Query("hand_back_after_seconds", Value.Number(1, 86_400), "otherwise `Master:DrainHandBackAfter`")
        .Answers<DrainAnswer>(200, "what it still runs")
        .Fails(ErrorCodes.NotFound, ErrorCodes.InvalidArgument, ErrorCodes.Unavailable);

    public static Operation Undrain(Operation undrain) => undrain
        .Path("node_id", Value.Text(), "the node")
        .Answers<DrainAnswer>(200, "what it runs")
        .Fails(ErrorCodes.NotFound, ErrorCodes.Unavailable);

    public static Operation Queues(Operation queues) => queues
        .Answers<QueuesAnswer>(200, "what waits and runs, by class and by job");

    public static Operation Follow(Operation follow) => follow
        .Says("`nodes` and `queues`, each as above, at once and whenever it has changed, at most once a second.")
        .Answers(200, "server-sent events", "text/event-stream")
        .Fails(ErrorCodes.ResourceExhausted);

    public static Operation Schedule(Operation schedule) => schedule
        .Says("For people who look for a fault: what the master has in hand. The fields are those of the messages " +
            "`Schedule`, `Job` and `ScheduledTask` of `proto/hexcast/v1/`.")
        .Query("task_id", Value.Text(), "`{job}` or `{job}/{task}`: only that one")
        .Answers(200, "the schedule, the job or the task", "application/json")
        .Fails(ErrorCodes.NotFound);
}
