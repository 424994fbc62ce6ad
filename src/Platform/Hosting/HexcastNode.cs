using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Hosting;

/// <summary>
/// A running node: first the server, then the roles' services in the order of the table; stopped in reverse. A role's
/// loop that dies takes the node down, visibly, rather than leaving it half alive.
/// </summary>
public sealed class HexcastNode : IAsyncDisposable
{
    internal static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private readonly IHost host;
    private readonly IReadOnlyList<Func<IServiceProvider, IHostedService>> roleServices;
    private readonly NodeHealth health;
    private readonly TextWriter log;
    private readonly List<IHostedService> started = [];
    private readonly TaskCompletionSource died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool stopped;

    internal HexcastNode(
        IHost host,
        IReadOnlyList<Func<IServiceProvider, IHostedService>> roleServices,
        NodeHealth health,
        TextWriter log)
    {
        this.host = host;
        this.roleServices = roleServices;
        this.health = health;
        this.log = log;
    }

    public IServiceProvider Services => host.Services;

    /// <summary>Faults when a role's loop has died.</summary>
    public Task Died => died.Task;

    public async Task StartAsync(CancellationToken cancel)
    {
        await host.StartAsync(cancel);
        foreach (var create in roleServices)
        {
            cancel.ThrowIfCancellationRequested();
            var service = create(host.Services);
            started.Add(service);
            // Not the caller's token: a background service links its loop to it, and all loops would end at once
            // when it is cancelled, not in the order of StopAsync.
            await service.StartAsync(CancellationToken.None);
            if (service is BackgroundService { ExecuteTask: { } loop })
            {
                _ = WatchAsync(service, loop);
            }
        }

        health.Start();
    }

    /// <summary>
    /// Stops the roles, then the server. Each has <see cref="StopLimit"/> of its own, and one that fails to stop does
    /// not keep the others from it.
    /// </summary>
    public async Task StopAsync()
    {
        if (stopped)
        {
            return;
        }

        stopped = true;
        health.Stop();
        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        foreach (var service in Enumerable.Reverse(started))
        {
            await StopAsync(service.GetType(), service.StopAsync);
        }

        await StopAsync(typeof(IHost), host.StopAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var service in Enumerable.Reverse(started))
        {
            (service as IDisposable)?.Dispose();
        }

        switch (host)
        {
            case IAsyncDisposable asynchronous:
                await asynchronous.DisposeAsync();
                break;
            default:
                host.Dispose();
                break;
        }

        await log.DisposeAsync();
    }

    private async Task StopAsync(Type part, Func<CancellationToken, Task> stop)
    {
        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await stop(limit.Token);
        }
        catch (Exception failure)
        {
            LoggerOf(part).LogError(failure, "{Part} did not stop as it should", part.Name);
        }
    }

    private ILogger LoggerOf(Type part) =>
        host.Services.GetRequiredService<ILoggerFactory>().CreateLogger(part.FullName!);

    private async Task WatchAsync(IHostedService service, Task loop)
    {
        try
        {
            await loop;
        }
        catch (OperationCanceledException) when (stopped)
        {
            // Stopping cancels loops.
        }
        catch (Exception failure)
        {
            // First what ends the node: it must not depend on a line that can be written.
            var logger = LoggerOf(service.GetType());
            died.TrySetException(failure);
            logger.LogCritical(failure, "{Loop} died; the node stops", service.GetType().Name);
        }
    }
}
