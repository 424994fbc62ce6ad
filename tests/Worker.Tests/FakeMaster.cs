using System.Threading.Channels;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Verdict = Hexcast.Contracts.V1.ReportStatusResponse.Types.Verdict;

namespace Hexcast.Worker.Tests;

/// <summary>The master's side of the protocol under a test's control, over the real transport.</summary>
internal sealed class FakeMaster
{
    private readonly Channel<MasterSession> sessions = Channel.CreateUnbounded<MasterSession>();
    private readonly Channel<ReportStatusRequest> reports = Channel.CreateUnbounded<ReportStatusRequest>();

    /// <summary>What a report is answered with; it may throw.</summary>
    public Func<ReportStatusRequest, Verdict> Answer { get; set; } = _ => Verdict.Accepted;

    public ValueTask<MasterSession> NextSessionAsync() =>
        sessions.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public ValueTask<ReportStatusRequest> NextReportAsync() =>
        reports.Reader.ReadAsync(TestContext.Current.CancellationToken);

    internal sealed class Service(FakeMaster master) : Scheduler.SchedulerBase
    {
        public override async Task StreamHeartbeat(
            IAsyncStreamReader<WorkerMessage> requestStream,
            IServerStreamWriter<MasterMessage> responseStream,
            ServerCallContext context)
        {
            var session = new MasterSession(requestStream, responseStream, context.CancellationToken);
            await master.sessions.Writer.WriteAsync(session, context.CancellationToken);
            await session.Broken.WaitAsync(context.CancellationToken);
            throw new RpcException(new Status(StatusCode.Unavailable, "The test broke the stream."));
        }

        public override Task<ReportStatusResponse> ReportStatus(ReportStatusRequest request, ServerCallContext context)
        {
            master.reports.Writer.TryWrite(request);
            return Task.FromResult(new ReportStatusResponse { Verdict = master.Answer(request) });
        }

        public override async Task<BatchReportStatusResponse> BatchReportStatus(
            BatchReportStatusRequest request, ServerCallContext context) => new()
            {
                Responses = { await Task.WhenAll(request.Requests.Select(report => ReportStatus(report, context))) },
            };
    }

    internal sealed class Module(FakeMaster master) : RoleModule
    {
        public override void AddServices(RoleBuilder role) => role.Services.AddSingleton(master);

        public override void MapGrpc(IEndpointRouteBuilder grpc) => grpc.MapGrpcService<Service>();
    }
}

/// <summary>One stream of the worker.</summary>
internal sealed class MasterSession(
    IAsyncStreamReader<WorkerMessage> requests, IServerStreamWriter<MasterMessage> responses, CancellationToken ended)
{
    private readonly TaskCompletionSource broken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Broken => broken.Task;

    public void Break() => broken.TrySetResult();

    /// <summary>Completes when the worker has ended the stream.</summary>
    public Task Ended => Task.Delay(Timeout.Infinite, ended);

    public async Task<WorkerHello> WelcomeAsync(long fence)
    {
        var hello = (await NextAsync()).Hello.ShouldNotBeNull();
        await responses.WriteAsync(new MasterMessage { Welcome = new MasterWelcome { Fence = fence } }, ended);
        return hello;
    }

    public Task AssignAsync(TaskAssignment task) =>
        responses.WriteAsync(new MasterMessage { Assign = task }, ended);

    public Task SendAsync(MasterMessage message) => responses.WriteAsync(message, ended);

    public Task CancelAsync(TaskAssignment task) =>
        responses.WriteAsync(new MasterMessage { Cancel = new CancelTask { Attempt = task.Attempt } }, ended);

    public async Task<WorkerHeartbeat> HeartbeatAsync(Func<WorkerHeartbeat, bool> condition)
    {
        while (true)
        {
            if ((await NextAsync()).Heartbeat is { } beat && condition(beat))
            {
                return beat;
            }
        }
    }

    private async Task<WorkerMessage> NextAsync()
    {
        (await requests.MoveNext(TestContext.Current.CancellationToken)).ShouldBeTrue();
        return requests.Current;
    }
}
