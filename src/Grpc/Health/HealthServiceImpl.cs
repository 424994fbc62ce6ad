using System.Threading.Channels;
using Grpc.Core;
using Grpc.Health.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Grpc.HealthCheck;

/// <summary>
/// Serves <c>grpc.health.v1.Health</c> from statuses that the application sets. Map one instance:
/// <c>services.AddSingleton(new HealthServiceImpl())</c>, <c>MapGrpcService&lt;HealthServiceImpl&gt;()</c>.
/// </summary>
public class HealthServiceImpl : Health.V1.Health.HealthBase
{
    readonly Lock _gate = new();
    readonly Dictionary<string, ServingStatus> _statuses = new(StringComparer.Ordinal);
    readonly List<Watcher> _watchers = [];
    bool _isShutDown;

    /// <param name="service">Full name of a service; empty is the server as a whole.</param>
    /// <param name="status">Watchers of the service learn of it if it is new. Ignored after a shutdown.</param>
    public void SetStatus(string service, ServingStatus status)
    {
        lock (_gate)
        {
            if (_isShutDown)
                return;
            _statuses[service] = status;
            Tell(service, status);
        }
    }

    public void ClearStatus(string service)
    {
        lock (_gate)
        {
            if (_statuses.Remove(service))
                Tell(service, ServingStatus.ServiceUnknown);
        }
    }

    public void ClearAll()
    {
        lock (_gate)
        {
            foreach (var service in _statuses.Keys.ToList())
                ClearStatus(service);
        }
    }

    /// <summary>All services stop serving for good: watchers hear it, then their streams end.</summary>
    public void Shutdown()
    {
        lock (_gate)
        {
            foreach (var service in _statuses.Keys.ToList())
                SetStatus(service, ServingStatus.NotServing);
            foreach (var watcher in _watchers)
                watcher.Changes.Writer.TryComplete();
            _isShutDown = true;
        }
    }

    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        lock (_gate)
        {
            return _statuses.TryGetValue(request.Service, out var status)
                ? Task.FromResult(new HealthCheckResponse { Status = status })
                : throw new RpcException(new Status(
                    StatusCode.NotFound, $"The service {request.Service} is not known here."));
        }
    }

    public override Task<HealthListResponse> List(HealthListRequest request, ServerCallContext context)
    {
        var response = new HealthListResponse();
        lock (_gate)
        {
            foreach (var (service, status) in _statuses)
                response.Statuses.Add(service, new HealthCheckResponse { Status = status });
        }

        return Task.FromResult(response);
    }

    public override async Task Watch(
        HealthCheckRequest request,
        IServerStreamWriter<HealthCheckResponse> responseStream,
        ServerCallContext context)
    {
        var watcher = new Watcher(request.Service);
        lock (_gate)
        {
            watcher.Tell(_statuses.GetValueOrDefault(request.Service, ServingStatus.ServiceUnknown));
            _watchers.Add(watcher);
            if (_isShutDown)
                watcher.Changes.Writer.TryComplete();
        }

        try
        {
            await foreach (var status in watcher.Changes.Reader.ReadAllAsync(context.CancellationToken))
                await responseStream.WriteAsync(new HealthCheckResponse { Status = status }, context.CancellationToken);
        }
        finally
        {
            lock (_gate)
                _watchers.Remove(watcher);
        }

        throw new RpcException(new Status(StatusCode.Unavailable, "The server is stopping."));
    }

    void Tell(string service, ServingStatus status)
    {
        foreach (var watcher in _watchers.Where(watcher => watcher.Service == service))
            watcher.Tell(status);
    }

    sealed class Watcher(string service)
    {
        ServingStatus? _last;

        public string Service => service;

        // One slow to read misses what is past, never what is.
        public Channel<ServingStatus> Changes { get; } = Channel.CreateBounded<ServingStatus>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

        public void Tell(ServingStatus status)
        {
            if (_last == status)
                return;
            _last = status;
            Changes.Writer.TryWrite(status);
        }
    }
}
