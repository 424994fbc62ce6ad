using Hexcast.Platform.Hosting;
using Hexcast.Worker.Attempts;
using Hexcast.Worker.Tools;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Worker.Tests;

/// <summary>The system's clock until it breaks: whoever waits by it then throws what nobody expects.</summary>
internal sealed class BrokenClock : TimeProvider
{
    public bool Broken { get; set; }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        Broken ? throw new TimeZoneNotFoundException() : base.CreateTimer(callback, state, dueTime, period);

    internal sealed class Module(BrokenClock clock) : RoleModule
    {
        public override void AddServices(RoleBuilder role) => role.Services.AddSingleton(services => new Workbench(
            services.GetRequiredService<ScratchFolder>(), services.GetRequiredService<ToolRunner>(),
            services.GetRequiredService<StoredObjects>(), clock));
    }
}
