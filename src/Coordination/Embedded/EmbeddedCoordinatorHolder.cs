using Grpc.Core;
using Hexcast.Coordination.Embedded.Log;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Embedded;

internal sealed record EmbeddedCoordinatorSettings(
    string Directory, MemberIdentity Identity, string ClientUrl, CoordinatorLimits Limits);

/// <summary>
/// The embedded coordinator's life in a process: recovered and leading before <see cref="StartAsync"/> returns, so
/// before any role that is started after it. If it can no longer write, its task faults, and the process ends.
/// </summary>
internal sealed class EmbeddedCoordinatorHolder(
    EmbeddedCoordinatorSettings settings, TimeProvider clock, ILogger<EmbeddedCoordinatorHolder> logger)
    : BackgroundService
{
    private readonly TaskCompletionSource _fatal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FileDisk? _disk;
    private volatile EmbeddedCoordinator? _coordinator;

    public string ClientUrl => settings.ClientUrl;

    public EmbeddedCoordinator Coordinator =>
        _coordinator ?? throw new RpcException(CoordinatorErrors.StatusOf(CoordinatorError.Stopped));

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _disk = new FileDisk(settings.Directory);
        var host = new CoordinatorHost(clock, logger, exception => _fatal.TrySetException(exception));
        _coordinator = EmbeddedCoordinator.Start(_disk, settings.Identity, settings.Limits, host);
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_coordinator is { } coordinator)
        {
            _coordinator = null;
            await coordinator.DisposeAsync();
        }
        _disk?.Dispose();
    }

    public override void Dispose()
    {
        _disk?.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _fatal.Task.WaitAsync(stoppingToken);
}
