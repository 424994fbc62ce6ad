using System.Net;
using Hexcast.Harness;
using Hexcast.Contracts.V1;
using Hexcast.Coordination;
using Hexcast.Coordination.Client;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Hexcast.Testing;

namespace Hexcast.Master.Tests.Support;

/// <summary>The real master on the real coordinator, over the in-memory transport; workers are the test's.</summary>
internal sealed class MasterNode((string Key, string Value)[] settings) : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-master-").FullName;
    private HostedNode node = null!;

    public Transcoder.TranscoderClient Transcoder { get; private set; } = null!;

    public Scheduler.SchedulerClient Scheduler { get; private set; } = null!;

    public IObjectStore Objects => node.Get<IObjectStore>();

    public CoordinatorClient Coordinator => node.Get<CoordinatorClient>();

    public HttpClient Http { get; private set; } = null!;

    public static async Task<MasterNode> StartAsync(params (string Key, string Value)[] settings)
    {
        var master = new MasterNode(settings);
        await master.BootAsync();
        return master;
    }

    public async Task RestartAsync()
    {
        await node.DisposeAsync();
        await BootAsync();
    }

    public async Task<Job> WaitForAsync(string job, Func<Job, bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var found = await Scheduler.GetJobAsync(new GetJobRequest { JobId = job }, cancellationToken: limit.Token);
            if (condition(found))
            {
                return found;
            }

            await Task.Delay(20, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        Http.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private async Task BootAsync()
    {
        node = await HostedNode.StartAsync(
            folder, [new CoordinationModule(), new TestAccess(), new MasterModule()], settings);
        var invoker = node.Get<RoleChannel>().Invoker;
        (Transcoder, Scheduler) = (new Transcoder.TranscoderClient(invoker), new Scheduler.SchedulerClient(invoker));
        Http?.Dispose();
        Http = new HttpClient { BaseAddress = node.Address };
        await BeMasterAsync();
    }

    // The term begins when the election key has been seen.
    private async Task BeMasterAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await Http.GetAsync("/schedule", limit.Token)).StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            await Task.Delay(10, limit.Token);
        }
    }
}
