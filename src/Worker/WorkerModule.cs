using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;
using Hexcast.Worker.Attempts;
using Hexcast.Worker.Tools;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Worker;

/// <summary>Runs tasks: probes, encodes, makes pictures, checks the whole. Calls the master, serves nothing.</summary>
public sealed class WorkerModule : RoleModule
{
    public override void AddServices(RoleBuilder role)
    {
        var options = role.AddOptions<WorkerOptions>("Worker");
        role.AddRoleClient("master", invoker => new Scheduler.SchedulerClient(invoker));
        role.Services
            .AddSingleton(new ScratchFolder(role.DataFolder("scratch")))
            .AddSingleton(new Sandbox(options.Sandbox))
            .AddSingleton<ToolStarter>()
            .AddSingleton<ToolRunner>()
            .AddSingleton<StoredObjects>()
            .AddSingleton<SourceCopies>()
            .AddSingleton<Workbench>()
            .AddSingleton<ProbeAttempt>()
            .AddSingleton<ChunkAttempt>()
            .AddSingleton<PublishAttempt>()
            .AddSingleton<SubtitlesAttempt>()
            .AddSingleton<StoryboardAttempt>()
            .AddSingleton<AttemptRunner>()
            .AddSingleton<MasterLink>()
            .AddHostedService<WorkerLoop>();
    }
}
